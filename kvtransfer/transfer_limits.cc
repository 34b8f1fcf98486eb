#include "kvtransfer/transfer_limits.h"

#include <algorithm>

namespace baton {
namespace {

constexpr int kMarginOfTtl = 5;  // the sender's margin is at most this part of a short lease

}  // namespace

absl::StatusOr<TransferLimits> TransferLimitsFrom(const TransferConfig& config) {
  if (config.renew_ms <= 0 || config.lease_ms < 2 * config.renew_ms) {
    return absl::InvalidArgumentError(
        "transfer.lease_ms: must be at least twice transfer.renew_ms, or leases end unrenewed");
  }
  if (config.stall_ms <= 0 || config.window_ms <= 0) {
    return absl::InvalidArgumentError("transfer.stall_ms, transfer.window_ms: must be positive");
  }
  TransferLimits limits;
  limits.lease_ttl = Milliseconds(config.lease_ms);
  limits.renew_every = Milliseconds(config.renew_ms);
  limits.post_margin = std::min(limits.post_margin, limits.lease_ttl / kMarginOfTtl);
  limits.stall = Milliseconds(config.stall_ms);
  limits.window = Milliseconds(config.window_ms);
  limits.layer_group = static_cast<std::uint32_t>(config.layer_group);
  limits.overlap_tokens_min = static_cast<std::uint32_t>(config.overlap_tokens_min);
  return limits;
}

}  // namespace baton
