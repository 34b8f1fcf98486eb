#include "tests/kvtransfer/peer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "absl/strings/escaping.h"

namespace baton {
namespace {

constexpr int kStartMsMax = 10'000;

/// One line from `fd`, without its end; what there is when the time is over.
std::string ReadLine(int fd) {
  std::string line;
  pollfd descriptor{fd, POLLIN, 0};
  while (poll(&descriptor, 1, kStartMsMax) > 0) {
    char byte = 0;
    if (read(fd, &byte, 1) != 1 || byte == '\n') break;
    line.push_back(byte);
  }
  return line;
}

}  // namespace

PeerProcess::PeerProcess(const std::string& wire) {
  std::array<int, 2> out{};
  if (pipe2(out.data(), O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string program = std::string(BATON_BINARY_DIR) + "/bin/ucx_peer";
  std::string argument = wire;
  std::array<char*, 3> arguments{program.data(), argument.data(), nullptr};
  if (posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ) != 0) {
    pid_ = -1;
  }
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  address_ = absl::HexStringToBytes(ReadLine(out[0]));
  close(out[0]);
}

PeerProcess::~PeerProcess() { Kill(); }

void PeerProcess::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void PeerProcess::Stop() { kill(pid_, SIGSTOP); }
void PeerProcess::Continue() { kill(pid_, SIGCONT); }

}  // namespace baton
