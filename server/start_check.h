// What the start of a role refuses in a configuration whose keys are each valid: found before a
// model is loaded, by `check-config` and by the roles alike.
#pragma once

#include "absl/status/status.h"
#include "config/load.h"

namespace baton {

/// Every refusal, one a line, each naming its key. kAny: what any role would refuse.
/// Errors: InvalidArgument.
absl::Status CheckStart(Role role, const Config& config);

}  // namespace baton
