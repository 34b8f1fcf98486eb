#include "tests/bench/forked_peer.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace baton {
namespace {

constexpr int kToldMsMax = 10'000;

}  // namespace

void StayOnProcessor(int end) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) < 2) return;
  std::vector<std::size_t> processors;
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &allowed)) processors.push_back(i);
  }
  cpu_set_t mine;
  CPU_ZERO(&mine);
  CPU_SET(end == 0 ? processors.front() : processors.back(), &mine);
  sched_setaffinity(0, sizeof(mine), &mine);
}

ForkedPeer::ForkedPeer(const std::function<int(const Tell&)>& body) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return;
  pid_ = fork();
  if (pid_ == 0) {
    close(ends[0]);
    StayOnProcessor(1);
    // One write of less than PIPE_BUF bytes is one read at the other end.
    _exit(body([&](absl::string_view text) {
      if (write(ends[1], text.data(), text.size()) < 0) _exit(1);
    }));
  }
  close(ends[1]);
  pipe_ = ends[0];
}

ForkedPeer::~ForkedPeer() {
  if (pipe_ >= 0) close(pipe_);
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

std::string ForkedPeer::Told() {
  std::array<char, 4096> text{};
  pollfd descriptor{pipe_, POLLIN, 0};
  if (pipe_ < 0 || poll(&descriptor, 1, kToldMsMax) <= 0) return "";
  const ssize_t bytes = read(pipe_, text.data(), text.size());
  return bytes > 0 ? std::string(text.data(), static_cast<std::size_t>(bytes)) : "";
}

}  // namespace baton
