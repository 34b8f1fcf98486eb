// Which processes `baton up` starts and with which arguments: a pure function of the configuration
// and of the ports that are free, so that it can be tested without starting anything.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/load.h"
#include "server/cli/flags.h"

namespace baton {

/// One process to be.
struct PlannedRole {
  std::string name;  // "router", "prefill-0", "decode-1"
  int http_port = 0;
  std::vector<std::string> arguments;  // of `baton`
  int taken_port = 0;                  // where it was to be found, but another listens; 0 = none
};

/// The ports of this machine, asked for while planning.
struct PortSource {
  std::function<bool(int port)> is_free;
  std::function<int()> any_free;  // 0 = none
};

/// `pages_each`: of a worker's cache, where the configuration leaves them open; 0 = as configured.
/// The router first, then prefill, then decode workers. A worker takes its role's http_port + index
/// where that is free, any free port otherwise; the public port is the configured one or an error
/// (0 = any). Errors: Unavailable (public port taken, no port left), InvalidArgument (no decode
/// worker).
absl::StatusOr<std::vector<PlannedRole>> PlanCluster(const LoadedConfig& loaded,
                                                     const CommandLine& command_line,
                                                     const PortSource& ports,
                                                     std::uint32_t pages_each);

}  // namespace baton
