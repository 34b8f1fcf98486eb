#include "server/commands/selftest_line.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace baton {
namespace {

constexpr std::size_t kLineBytesMax = 16 * 1024;  // twice the largest address, in hexadecimal
constexpr Duration kWaitMax = std::chrono::seconds(60);

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

/// A literal address.
AddressList AddressOf(const std::string& host, int port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &wanted, &found) != 0) found = nullptr;
  return {found, &freeaddrinfo};
}

absl::Status Failed(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

/// Whether `socket` can be read by then.
bool Readable(int socket, Instant deadline) {
  while (true) {
    const Duration left = deadline - std::chrono::steady_clock::now();
    if (left <= Duration::zero()) return false;
    pollfd wanted{socket, POLLIN, 0};
    const double ms = ToMilliseconds(std::min<Duration>(left, kWaitMax));
    if (poll(&wanted, 1, static_cast<int>(ms) + 1) > 0) return true;
  }
}

}  // namespace

SelftestLine::~SelftestLine() {
  if (socket_ >= 0) close(socket_);
}

SelftestLine::SelftestLine(SelftestLine&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), read_(std::move(other.read_)) {}

absl::StatusOr<SelftestLine> SelftestLine::Connect(const HostPort& where) {
  BATON_ASSIGN_OR_RETURN(const std::vector<std::string> addresses, ResolveLoopback(where));
  for (const std::string& text : addresses) {
    BATON_ASSIGN_OR_RETURN(const HostPort literal, ParseHostPort(text));
    const AddressList address = AddressOf(literal.host, literal.port);
    if (address == nullptr) continue;
    const int socket = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return Failed("socket");
    if (connect(socket, address->ai_addr, address->ai_addrlen) == 0) return SelftestLine(socket);
    close(socket);
  }
  return absl::UnavailableError(absl::StrCat("nobody listens at ", where.host, ":", where.port,
                                             "; start `baton selftest --listen ", where.port,
                                             "` there"));
}

absl::Status SelftestLine::Say(absl::string_view line) {
  const std::string bytes = absl::StrCat(line, "\n");
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t now = send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now <= 0) return Failed("the other end of the self-test is gone");
    sent += static_cast<std::size_t>(now);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SelftestLine::Hear(Instant deadline) {
  while (true) {
    const std::size_t end = read_.find('\n');
    if (end != std::string::npos) {
      std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return line;
    }
    if (read_.size() > kLineBytesMax) return absl::InvalidArgumentError("a line without an end");
    if (!Readable(socket_, deadline)) {
      return absl::DeadlineExceededError("the other end of the self-test says nothing");
    }
    std::array<char, 4096> buffer{};
    const ssize_t bytes = recv(socket_, buffer.data(), buffer.size(), 0);
    if (bytes <= 0) return absl::UnavailableError("the other end of the self-test is gone");
    read_.append(buffer.data(), static_cast<std::size_t>(bytes));
  }
}

SelftestDoor::~SelftestDoor() {
  if (socket_ >= 0) close(socket_);
}

SelftestDoor::SelftestDoor(SelftestDoor&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), port_(other.port_) {}

absl::StatusOr<SelftestDoor> SelftestDoor::Listen(const std::string& host, int port) {
  BATON_RETURN_IF_ERROR(CheckLoopback(host));
  const AddressList address = AddressOf(host, port);
  if (address == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("transfer.host: ", host, ": not an address"));
  }
  const int socket = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return Failed("socket");
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  SelftestDoor door(socket, port);
  if (bind(socket, address->ai_addr, address->ai_addrlen) != 0 || listen(socket, 1) != 0) {
    return Failed(absl::StrCat("port ", port, " cannot be had"));
  }
  sockaddr_storage bound{};
  socklen_t bytes = sizeof(bound);
  getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &bytes);
  std::array<char, NI_MAXSERV> service{};
  getnameinfo(reinterpret_cast<sockaddr*>(&bound), bytes, nullptr, 0, service.data(),
              service.size(), NI_NUMERICSERV);
  door.port_ = std::atoi(service.data());
  return door;
}

absl::StatusOr<SelftestLine> SelftestDoor::Accept(Instant deadline) {
  if (!Readable(socket_, deadline)) return absl::DeadlineExceededError("nobody came");
  const int socket = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
  if (socket < 0) return Failed("accept");
  return SelftestLine(socket);
}

}  // namespace baton
