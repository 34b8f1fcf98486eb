#include "server/loopback_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "server/host_port.h"

namespace baton {
namespace {

constexpr int kPortMax = 65535;

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  if (address->sa_family != AF_INET6) return false;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) != 0;
}

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

AddressList Resolve(const std::string& host, bool literal) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = literal ? AI_NUMERICHOST : 0;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) found = nullptr;
  return {found, &freeaddrinfo};
}

absl::Status OffLoopback(absl::string_view host) {
  return absl::InvalidArgumentError(absl::StrFormat(
      "%s is off loopback, and traffic between routers and workers is not encrypted yet: use an "
      "address of this host's loopback (127.0.0.1)",
      std::string(host)));
}

std::string TextOf(const sockaddr* address, int port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return HostPortText(text.data(), port);
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
  inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
  return HostPortText(text.data(), port);
}

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text) {
  const auto colon = text.rfind(':');
  HostPort parsed;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &parsed.port) ||
      parsed.port < 1 || parsed.port > kPortMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: want host:port, for example 127.0.0.1:7500", std::string(text)));
  }
  absl::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty()) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: the host is empty", std::string(text)));
  }
  parsed.host = std::string(host);
  parsed.literal = Resolve(parsed.host, true) != nullptr;
  return parsed;
}

absl::Status CheckLoopback(absl::string_view host) {
  const AddressList found = Resolve(std::string(host), true);
  if (found == nullptr) return absl::OkStatus();  // a name; its addresses are checked when resolved
  return IsLoopback(found->ai_addr) ? absl::OkStatus() : OffLoopback(host);
}

absl::StatusOr<std::vector<std::string>> ResolveLoopback(const HostPort& where) {
  const AddressList found = Resolve(where.host, where.literal);
  if (found == nullptr) {
    return absl::UnavailableError(absl::StrFormat("%s does not resolve", where.host));
  }
  std::vector<std::string> addresses;
  for (const addrinfo* entry = found.get(); entry != nullptr; entry = entry->ai_next) {
    if (!IsLoopback(entry->ai_addr)) return OffLoopback(where.host);
    addresses.push_back(TextOf(entry->ai_addr, where.port));
  }
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

}  // namespace baton
