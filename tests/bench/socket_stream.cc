#include "tests/bench/socket_stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace baton {
namespace {

constexpr std::size_t kCallBytes = 1 << 20;
constexpr int kRoundMsMax = 60'000;
constexpr auto kStallMax = std::chrono::seconds(10);

absl::Status Failed(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, " failed with errno ", errno));
}

/// Repeats `call(done)`, which moves some bytes from offset `done`, until `bytes` have moved.
template <typename Call>
absl::Status PollUntilMoved(std::size_t bytes, const Call& call) {
  auto last = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t moved = call(done);
    if (moved > 0) {
      done += static_cast<std::size_t>(moved);
      last = std::chrono::steady_clock::now();
    } else if (moved == 0 || (errno != EAGAIN && errno != EINTR)) {
      return Failed("the plain socket");
    } else if (std::chrono::steady_clock::now() - last > kStallMax) {
      return absl::DeadlineExceededError("the plain socket stands still");
    }
  }
  return absl::OkStatus();
}

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

absl::Status Prepare(int socket) {
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return fcntl(socket, F_SETFL, O_NONBLOCK) == 0 ? absl::OkStatus() : Failed("fcntl");
}

}  // namespace

SocketStream::~SocketStream() {
  if (listener_ >= 0) close(listener_);
  if (socket_ >= 0) close(socket_);
}

absl::StatusOr<std::uint16_t> SocketStream::Listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t bytes = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || bind(listener_, plain, bytes) != 0 || listen(listener_, 1) != 0 ||
      getsockname(listener_, plain, &bytes) != 0) {
    return Failed("listening on loopback");
  }
  return ntohs(address.sin_port);
}

absl::Status SocketStream::Accept() {
  socket_ = accept(listener_, nullptr, nullptr);
  return socket_ < 0 ? Failed("accept") : Prepare(socket_);
}

absl::Status SocketStream::Connect(std::uint16_t port) {
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (socket_ < 0 ||
      connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Failed("connecting to loopback");
  }
  return Prepare(socket_);
}

absl::Status SocketStream::Push(std::span<const std::byte> bytes) {
  BATON_RETURN_IF_ERROR(PollUntilMoved(bytes.size(), [&](std::size_t done) {
    return send(socket_, bytes.data() + done, std::min(kCallBytes, bytes.size() - done),
                MSG_NOSIGNAL);
  }));
  char receipt = 0;
  return PollUntilMoved(1, [&](std::size_t) { return recv(socket_, &receipt, 1, 0); });
}

absl::Status SocketStream::Take(std::size_t bytes) {
  // Sleeps until the round begins: other contestants are measured meanwhile.
  pollfd descriptor{socket_, POLLIN, 0};
  poll(&descriptor, 1, kRoundMsMax);
  std::vector<std::byte> buffer(kCallBytes);
  BATON_RETURN_IF_ERROR(PollUntilMoved(bytes, [&](std::size_t done) {
    return recv(socket_, buffer.data(), std::min(kCallBytes, bytes - done), 0);
  }));
  const char receipt = 1;
  return PollUntilMoved(1, [&](std::size_t) { return send(socket_, &receipt, 1, MSG_NOSIGNAL); });
}

}  // namespace baton
