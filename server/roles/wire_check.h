// Which wire the configuration leads to on this machine, found by moving pages over it: a required
// transport is refused here, before serving, and never replaced in silence.
#pragma once

#include "absl/status/statusor.h"
#include "config/config.h"
#include "kvtransfer/transfer_selftest.h"

namespace baton {

/// Moves a few known pages between two ends in this process, over the transports that `config`
/// allows. Errors: FailedPrecondition when the wire found is not transfer.require_transport; else
/// as RunTransferSelftest.
absl::StatusOr<SelftestReport> FindWire(const TransferConfig& config);

}  // namespace baton
