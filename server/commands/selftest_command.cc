#include "server/commands/selftest_command.h"

#include <cstdio>
#include <string>

#include "base/status.h"
#include "kvtransfer/transfer_selftest.h"
#include "server/cli/flags.h"

namespace baton {
namespace {

/// The wires to try, each alone: what is found must be what was asked for.
std::vector<std::string> WiresOf(const TransferConfig& config) {
  if (!config.require_transport.empty()) return {config.require_transport};
  return config.transports.empty() ? std::vector<std::string>{"shm", "tcp"} : config.transports;
}

absl::StatusOr<std::string> TryWire(TransferConfig config, const std::string& wire) {
  config.transports = {wire};
  TransferSelftestOptions options;
  BATON_ASSIGN_OR_RETURN(options.ucx, UcxOptionsFrom(config));
  options.ucx.tcp_ports.clear();  // workers of this machine may hold the configured ones
  options.require_transport = wire;
  BATON_ASSIGN_OR_RETURN(const SelftestReport report, RunTransferSelftest(options));
  return report.ToString();
}

}  // namespace

int RunSelftest(const LoadedConfig& loaded) {
  int code = kExitOk;
  for (const std::string& wire : WiresOf(loaded.config.transfer)) {
    const absl::StatusOr<std::string> said = TryWire(loaded.config.transfer, wire);
    if (said.ok()) {
      std::printf("%s: %s\n", wire.c_str(), said->c_str());
    } else {
      std::printf("%s: failed: %s\n", wire.c_str(), std::string(said.status().message()).c_str());
      code = kExitInvalid;
    }
    std::fflush(stdout);
  }
  return code;
}

}  // namespace baton
