#include "kvtransfer/transfer_selftest.h"

#include <algorithm>
#include <numeric>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "kvtransfer/copy_crc.h"

namespace baton {
namespace {

constexpr std::uint64_t kSeed = 20'260'101;

template <typename T>
T Median(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

absl::StatusOr<double> MedianPushSeconds(TransferProbe& probe,
                                         const TransferSelftestOptions& options, Instant deadline) {
  std::vector<std::uint32_t> order(options.shape.pages);
  std::iota(order.begin(), order.end(), 0);
  std::vector<double> seconds;
  for (int round = 0; round < std::max(options.rounds, 1); ++round) {
    const Instant start = std::chrono::steady_clock::now();
    BATON_RETURN_IF_ERROR(probe.Push(order, deadline));
    seconds.push_back(ToSeconds(std::chrono::steady_clock::now() - start));
  }
  return Median(std::move(seconds));
}

absl::StatusOr<Duration> MedianRoundTrip(TransferProbe& probe,
                                         const TransferSelftestOptions& options, Instant deadline) {
  std::vector<Duration> trips;
  for (int i = 0; i < std::max(options.round_trips, 1); ++i) {
    Duration trip{};
    BATON_ASSIGN_OR_RETURN(trip, probe.RoundTrip(deadline));
    trips.push_back(trip);
  }
  return Median(std::move(trips));
}

/// There, wiped here, back, compared.
absl::Status CompareBytes(TransferProbe& probe, Instant deadline) {
  probe.Poison();
  BATON_RETURN_IF_ERROR(probe.Pull(deadline));
  const std::uint32_t wrong = probe.WrongPages(kSeed);
  if (wrong == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrFormat(
      "%u pages came back changed: do not serve with this transport on this machine", wrong));
}

}  // namespace

std::string SelftestReport::ToString() const {
  return absl::StrFormat("transport %s wire %s %.2f GB/s %u bytes round trip %.1f us checksum %s",
                         peer.engine, peer.wire, gigabytes_per_second, bytes,
                         1e6 * ToSeconds(round_trip), checksum_implementation);
}

absl::StatusOr<SelftestReport> DriveTransferSelftest(Transport& transport,
                                                     absl::string_view peer_address,
                                                     const TransferSelftestOptions& options) {
  const Instant deadline = std::chrono::steady_clock::now() + options.deadline;
  TransferProbe probe(transport, options.shape);
  probe.Fill(kSeed);
  BATON_RETURN_IF_ERROR(probe.Open(peer_address, deadline));
  SelftestReport report;
  report.peer = probe.Describe();
  BATON_RETURN_IF_ERROR(CheckWire(report.peer, options.require_transport));
  double seconds = 0;
  BATON_ASSIGN_OR_RETURN(seconds, MedianPushSeconds(probe, options, deadline));
  BATON_RETURN_IF_ERROR(CompareBytes(probe, deadline));
  BATON_ASSIGN_OR_RETURN(report.round_trip, MedianRoundTrip(probe, options, deadline));
  report.bytes = std::uint64_t{options.shape.pages} * options.shape.page_bytes;
  report.gigabytes_per_second = static_cast<double>(report.bytes) / seconds / 1e9;
  report.checksum_implementation = Crc32cImplementation();
  BATON_RETURN_IF_ERROR(probe.Quit());
  return report;
}

absl::StatusOr<SelftestReport> RunTransferSelftest(const TransferSelftestOptions& options) {
  std::unique_ptr<Transport> here;
  std::unique_ptr<Transport> there;
  BATON_ASSIGN_OR_RETURN(here, MakeUcxTransport(options.ucx));
  BATON_ASSIGN_OR_RETURN(there, MakeUcxTransport(options.ucx));
  const std::string address = there->address();
  const Instant deadline = std::chrono::steady_clock::now() + options.deadline;
  std::jthread peer([&](std::stop_token stop) {
    TransferProbe probe(*there, options.shape);
    // Its errors show at the driver, as silence or as a lost peer.
    probe.Serve(std::move(stop), deadline).IgnoreError();
  });
  return DriveTransferSelftest(*here, address, options);
}

}  // namespace baton
