#include "tests/server/frozen_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <stop_token>

#include "base/check.h"

namespace baton {
namespace {

constexpr int kPollMs = 20;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Moves what is readable. False when an end closed.
bool Relay(int from, int to) {
  std::array<std::byte, 65536> buffer;
  const ssize_t got = recv(from, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  return send(to, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
}

}  // namespace

FrozenProxy::FrozenProxy(int port) {
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  BATON_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  BATON_CHECK(listen(listener_, 4) == 0);
  socklen_t length = sizeof(address);
  BATON_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this, port](const std::stop_token& stop) { Run(stop, port); });
}

FrozenProxy::~FrozenProxy() {
  thread_ = {};
  close(listener_);
}

void FrozenProxy::Freeze(bool frozen) { frozen_.store(frozen, std::memory_order_relaxed); }

void FrozenProxy::Run(const std::stop_token& stop, int to_port) {
  int near = -1;
  int far = -1;
  while (!stop.stop_requested()) {
    if (frozen_.load(std::memory_order_relaxed)) {
      poll(nullptr, 0, kPollMs);
      continue;
    }
    // Without a connection poll ignores the two negative descriptors.
    std::array<pollfd, 3> polled = {pollfd{near < 0 ? listener_ : -1, POLLIN, 0},
                                    pollfd{near, POLLIN, 0}, pollfd{far, POLLIN, 0}};
    poll(polled.data(), polled.size(), kPollMs);
    if (polled[0].revents != 0) {
      near = accept(listener_, nullptr, nullptr);
      far = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address = Loopback(to_port);
      BATON_CHECK(connect(far, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    }
    const bool open = (polled[1].revents == 0 || Relay(near, far)) &&
                      (polled[2].revents == 0 || Relay(far, near));
    if (open) continue;
    close(near);
    close(far);
    near = far = -1;
  }
  if (near >= 0) close(near);
  if (far >= 0) close(far);
}

}  // namespace baton
