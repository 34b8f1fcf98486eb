#include "tests/bench/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_format.h"

namespace baton::bench {
namespace {

constexpr int kEndMsMax = 20'000;

/// False when `fd` did not become readable before `deadline`.
bool WaitReadable(int fd, Instant deadline) {
  const double left = ToMilliseconds(deadline - std::chrono::steady_clock::now());
  pollfd entry{fd, POLLIN, 0};
  return poll(&entry, 1, static_cast<int>(std::clamp(left, 0.0, 3.6e6))) > 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Subprocess>> Subprocess::Start(
    const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return absl::InternalError("cannot make a pipe");
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(ends[1], STDOUT_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return absl::InternalError(absl::StrFormat("cannot start %s: %s", words[0], strerror(errno)));
  }
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  return std::unique_ptr<Subprocess>(new Subprocess(pid, pidfd, ends[0]));
}

Subprocess::~Subprocess() {
  kill(pid_, SIGTERM);
  pollfd ended{pidfd_, POLLIN, 0};
  if (poll(&ended, 1, kEndMsMax) <= 0) kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(pidfd_);
  close(out_);
}

std::optional<std::string> Subprocess::ReadLine(Instant deadline) {
  std::size_t end = 0;
  while ((end = buffer_.find('\n')) == std::string::npos) {
    std::array<char, 4096> bytes{};
    if (!WaitReadable(out_, deadline)) return std::nullopt;
    const ssize_t count = read(out_, bytes.data(), bytes.size());
    if (count <= 0) return std::nullopt;
    buffer_.append(bytes.data(), static_cast<std::size_t>(count));
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

std::string Beside(const std::string& name) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / name).string();
}

}  // namespace baton::bench
