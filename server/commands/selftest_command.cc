#include "server/commands/selftest_command.h"

#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "kvtransfer/transfer_selftest.h"
#include "server/commands/selftest_line.h"

namespace baton {
namespace {

// driver                     listener
// "wire shm"            ->
//                       <-   "address 4254..." or "failed why"
//   ... the probe's own conversation over the wire ...
// "wire tcp"            ->   and so on; the line's end is the end
constexpr char kWire[] = "wire ";
constexpr char kAddress[] = "address ";
constexpr char kFailed[] = "failed ";
constexpr auto kVisitTimeMax = std::chrono::minutes(10);
constexpr auto kAnswerTimeMax = std::chrono::seconds(20);

Instant After(Duration time) { return std::chrono::steady_clock::now() + time; }

/// The wires to try, each alone: what is found must be what was asked for.
std::vector<std::string> WiresOf(const TransferConfig& config) {
  if (!config.require_transport.empty()) return {config.require_transport};
  return config.transports.empty() ? std::vector<std::string>{"shm", "tcp"} : config.transports;
}

absl::StatusOr<TransferSelftestOptions> OptionsFor(TransferConfig config, const std::string& wire) {
  config.transports = {wire};
  TransferSelftestOptions options;
  BATON_ASSIGN_OR_RETURN(options.ucx, UcxOptionsFrom(config));
  options.ucx.tcp_ports.clear();  // workers of this machine may hold the configured ones
  options.require_transport = wire;
  return options;
}

using TryWire = std::function<absl::StatusOr<SelftestReport>(const std::string& wire)>;

int TryAll(const TransferConfig& config, const TryWire& try_wire) {
  int code = kExitOk;
  for (const std::string& wire : WiresOf(config)) {
    const absl::StatusOr<SelftestReport> report = try_wire(wire);
    if (report.ok()) {
      std::printf("%s: %s\n", wire.c_str(), report->ToString().c_str());
    } else {
      std::printf("%s: failed: %s\n", wire.c_str(), std::string(report.status().message()).c_str());
      code = kExitInvalid;
    }
    std::fflush(stdout);
  }
  return code;
}

int TellError(const absl::Status& status) {
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  return kExitInvalid;
}

// --- the driver's half

absl::StatusOr<SelftestReport> DriveWire(const TransferConfig& config, SelftestLine& line,
                                         const std::string& wire) {
  BATON_ASSIGN_OR_RETURN(const TransferSelftestOptions options, OptionsFor(config, wire));
  BATON_RETURN_IF_ERROR(line.Say(absl::StrCat(kWire, wire)));
  BATON_ASSIGN_OR_RETURN(const std::string answer, line.Hear(After(kAnswerTimeMax)));
  absl::string_view rest = answer;
  if (!absl::ConsumePrefix(&rest, kAddress)) {
    absl::ConsumePrefix(&rest, kFailed);
    return absl::UnavailableError(absl::StrCat("the peer: ", rest));
  }
  BATON_ASSIGN_OR_RETURN(const std::unique_ptr<Transport> transport, MakeUcxTransport(options.ucx));
  return DriveTransferSelftest(*transport, absl::HexStringToBytes(rest), options);
}

int Drive(const TransferConfig& config, const std::string& peer) {
  const absl::StatusOr<HostPort> where = ParseHostPort(peer);
  if (!where.ok()) return TellError(where.status());
  absl::StatusOr<SelftestLine> line = SelftestLine::Connect(*where);
  if (!line.ok()) return TellError(line.status());
  return TryAll(config, [&](const std::string& wire) { return DriveWire(config, *line, wire); });
}

// --- the listener's half

absl::StatusOr<std::unique_ptr<Transport>> OpenWire(const TransferConfig& config,
                                                    const std::string& wire) {
  if (!config.require_transport.empty() && wire != config.require_transport) {
    return absl::FailedPreconditionError(
        absl::StrCat("transfer.require_transport is ", config.require_transport));
  }
  BATON_ASSIGN_OR_RETURN(const TransferSelftestOptions options, OptionsFor(config, wire));
  return MakeUcxTransport(options.ucx);
}

absl::Status ServeWire(const TransferConfig& config, SelftestLine& line, const std::string& wire) {
  const auto transport = OpenWire(config, wire);
  if (!transport.ok()) {
    BATON_RETURN_IF_ERROR(line.Say(absl::StrCat(kFailed, transport.status().message())));
    return transport.status();
  }
  const TransferSelftestOptions defaults;
  TransferProbe probe(**transport, defaults.shape);
  BATON_RETURN_IF_ERROR(
      line.Say(absl::StrCat(kAddress, absl::BytesToHexString((*transport)->address()))));
  return probe.Serve({}, After(defaults.deadline));
}

/// One driver, to its end.
int Listen(const TransferConfig& config, int port) {
  absl::StatusOr<SelftestDoor> door = SelftestDoor::Listen(config.host, port);
  if (!door.ok()) return TellError(door.status());
  std::printf("listening at %s:%d\n", config.host.c_str(), door->port());
  std::fflush(stdout);
  absl::StatusOr<SelftestLine> line = door->Accept(After(kVisitTimeMax));
  if (!line.ok()) return TellError(line.status());
  int code = kExitOk;
  while (true) {
    const absl::StatusOr<std::string> said = line->Hear(After(kVisitTimeMax));
    if (absl::IsUnavailable(said.status())) return code;  // the driver has left
    absl::string_view wire = said.ok() ? absl::string_view(*said) : "";
    if (!absl::ConsumePrefix(&wire, kWire)) return TellError(absl::DataLossError("no driver"));
    const absl::Status served = ServeWire(config, *line, std::string(wire));
    std::printf("%s: %s\n", std::string(wire).c_str(),
                served.ok() ? "served" : std::string(served.message()).c_str());
    std::fflush(stdout);
    if (!served.ok()) code = kExitInvalid;
  }
}

}  // namespace

int RunSelftest(const LoadedConfig& loaded, const SelftestFlags& flags) {
  const TransferConfig& config = loaded.config.transfer;
  if (flags.listen_port >= 0) return Listen(config, flags.listen_port);
  if (!flags.peer.empty()) return Drive(config, flags.peer);
  return TryAll(config, [&](const std::string& wire) -> absl::StatusOr<SelftestReport> {
    BATON_ASSIGN_OR_RETURN(const TransferSelftestOptions options, OptionsFor(config, wire));
    return RunTransferSelftest(options);
  });
}

}  // namespace baton
