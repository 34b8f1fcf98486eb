// Every UCX option that we set, in one table, with its reason.
//
// UCX's own way of setting options accepts any name, garbage too, and says OK; and it reads the
// environment. So the table is explicit, a test shows that each name is known to the library that
// is loaded, and what the environment says besides is reported.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "kvtransfer/ucx_transport.h"

namespace baton {

struct UcxSetting {
  std::string name;  // without "UCX_"
  std::string value;
};

/// For ucp_config_modify, in order. Errors: InvalidArgument: no transport is chosen, or `host` is
/// not an address of this machine.
absl::StatusOr<std::vector<UcxSetting>> UcxSettings(const UcxOptions& options);

/// The process-wide ones (log level, signal handlers), which belong to the library, not to a
/// context.
std::vector<UcxSetting> UcxGlobalSettings();

/// One line for each variable UCX_* in `environment` ("NAME=value") that disagrees with a setting
/// of ours (then it is overruled) or that we do not set (then UCX follows it).
std::vector<std::string> EnvironmentRemarks(std::span<const UcxSetting> settings,
                                            std::span<const std::string> environment);

/// The network device that has the IPv4 or IPv6 address `host`.
absl::StatusOr<std::string> DeviceOfHost(absl::string_view host);

}  // namespace baton
