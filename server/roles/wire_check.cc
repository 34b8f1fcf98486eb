#include "server/roles/wire_check.h"

#include "base/status.h"

namespace baton {

absl::StatusOr<SelftestReport> FindWire(const TransferConfig& config) {
  TransferSelftestOptions options;
  BATON_ASSIGN_OR_RETURN(options.ucx, UcxOptionsFrom(config));
  options.ucx.tcp_ports.clear();  // workers of this machine may hold the configured ones
  options.shape.pages = 8;
  options.rounds = 1;
  options.round_trips = 20;
  options.require_transport = config.require_transport;
  return RunTransferSelftest(options);
}

}  // namespace baton
