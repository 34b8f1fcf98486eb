// Which wire UCX took for an endpoint, as found.
//
// UCX 1.13 tells it only in the text of ucp_ep_print_info ("lane[0]:  3:posix/memory.0 ... am").
// The text is parsed here, in one place, with the real output as the test's input.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace baton {

/// "shm", "tcp", "unknown" (still being set up), or the transport's own name: of the lane that
/// carries active messages.
std::string WireOfEndpointText(absl::string_view text);

}  // namespace baton
