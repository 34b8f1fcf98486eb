#include "kvtransfer/ucx_ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace baton {
namespace {

/// Binds as UCX does: without taking over what is about to end.
bool CanBind(const std::string& host, int port) {
  const bool six = host.find(':') != std::string::npos;
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<std::uint16_t>(port));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = v4.sin_port;
  if (six) {
    inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr);
  } else {
    inet_pton(AF_INET, host.c_str(), &v4.sin_addr);  // no address: any
  }
  const int probe = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const auto* address =
      six ? reinterpret_cast<const sockaddr*>(&v6) : reinterpret_cast<const sockaddr*>(&v4);
  const bool bound = bind(probe, address, six ? sizeof(v6) : sizeof(v4)) == 0;
  close(probe);
  return bound;
}

std::pair<int, int> RangeOf(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(text, absl::MaxSplits('-', 1));
  std::pair<int, int> range{0, -1};  // nothing, where it is no number
  if (!absl::SimpleAtoi(ends.first, &range.first)) return {0, -1};
  if (!absl::SimpleAtoi(ends.second, &range.second)) range.second = range.first;
  return range;
}

}  // namespace

absl::Status CheckPorts(const UcxOptions& options) {
  if (!options.tcp || options.tcp_ports.empty()) return absl::OkStatus();
  const std::string host = options.net_devices.empty() ? options.host : "";
  for (const absl::string_view part : absl::StrSplit(options.tcp_ports, ',')) {
    const auto [first, last] = RangeOf(part);
    for (int port = first; port <= last; ++port) {
      if (CanBind(host, port)) return absl::OkStatus();
    }
  }
  return absl::UnavailableError(absl::StrFormat(
      "transfer.tcp_ports: every port of %s is taken; name more of them, or any (those of a worker "
      "that died are free again after a minute)",
      options.tcp_ports));
}

}  // namespace baton
