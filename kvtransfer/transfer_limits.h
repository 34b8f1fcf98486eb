// The limits of both ends as the configuration states them (transfer.lease_ms, renew_ms, stall_ms,
// window_ms, layer_group, overlap_tokens_min).
#pragma once

#include "absl/status/statusor.h"
#include "config/config.h"
#include "kvtransfer/handoff_types.h"

namespace baton {

/// Errors: InvalidArgument: a lease that leaves no time to post in, or ends before its renewal.
absl::StatusOr<TransferLimits> TransferLimitsFrom(const TransferConfig& config);

}  // namespace baton
