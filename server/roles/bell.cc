#include "server/roles/bell.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/check.h"

namespace baton {

Bell::Bell() : eventfd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { BATON_CHECK(eventfd_ >= 0); }

Bell::~Bell() { close(eventfd_); }

void Bell::Ring() {
  const std::uint64_t one = 1;
  // A full counter means that it rings already.
  [[maybe_unused]] const ssize_t written = write(eventfd_, &one, sizeof(one));
}

void Bell::Wait(int fd, Instant deadline) {
  // A wait always has a deadline; the caller loops.
  const Duration left = std::clamp<Duration>(deadline - std::chrono::steady_clock::now(),
                                             Duration::zero(), std::chrono::seconds(60));
  std::array<pollfd, 2> fds = {{{eventfd_, POLLIN, 0}, {fd, POLLIN, 0}}};
  const timespec wait{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
  ppoll(fds.data(), fd >= 0 ? 2 : 1, &wait, nullptr);
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t drained = read(eventfd_, &rings, sizeof(rings));
}

}  // namespace baton
