// Addresses of the link between routers and workers. Until it is encrypted it stays on this host:
// whatever is off loopback is refused.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

struct HostPort {
  std::string host;  // a name or a literal address, without brackets
  int port = 0;
  bool literal = false;  // host is an address
};

/// "127.0.0.1:7500", "[::1]:7500", "name:7500". Errors: InvalidArgument.
absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);

/// Errors: InvalidArgument when `host` is a literal address off loopback.
absl::Status CheckLoopback(absl::string_view host);

/// All addresses of `where`, as "1.2.3.4:port" or "[::1]:port", sorted. Blocks on the system's
/// resolver, which has time-outs of its own.
/// Errors: Unavailable when the name does not resolve; InvalidArgument when an address of it is off
/// loopback.
absl::StatusOr<std::vector<std::string>> ResolveLoopback(const HostPort& where);

}  // namespace baton
