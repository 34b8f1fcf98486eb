#include "kvtransfer/transport_wait.h"

#include <poll.h>

#include <algorithm>

namespace baton {

void WaitForWork(Transport& transport, Duration longest) {
  if (transport.wake_fd() < 0 || longest <= Duration::zero()) return;
  if (!transport.ArmWakeup()) return;
  pollfd descriptor{transport.wake_fd(), POLLIN, 0};
  const auto whole_ms = std::chrono::ceil<std::chrono::milliseconds>(longest).count();
  poll(&descriptor, 1, static_cast<int>(std::min<std::int64_t>(whole_ms, 1000)));
}

}  // namespace baton
