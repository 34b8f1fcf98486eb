// UCX's status codes as ours. The names are from our own table: libucs, which has the library's,
// promises nothing between releases, so that only libucp is linked.
#pragma once

#include <ucs/type/status.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace baton {

/// "CONNECTION_RESET"; "UNKNOWN" for codes that UCX 1.13 does not have.
absl::string_view UcxStatusName(ucs_status_t status);

/// `what` failed with `status`. Cancelled and Unavailable are told apart; everything else that a
/// peer or the network can cause is Unavailable.
absl::Status FromUcx(ucs_status_t status, absl::string_view what);

}  // namespace baton
