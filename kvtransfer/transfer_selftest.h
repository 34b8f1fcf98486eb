// The self-test of the transfer path: known pages go to a second worker and back, over the wire
// that the configuration gives, and every byte is compared.
//
// It answers three questions before traffic does: does the transport work here, which wire did it
// take, how fast is it. A wire other than the required one is a failure, not a remark.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "kvtransfer/transfer_probe.h"
#include "kvtransfer/ucx_transport.h"

namespace baton {

struct TransferSelftestOptions {
  UcxOptions ucx;
  ProbeShape shape;
  int rounds = 5;                 // pushes that are timed; the median is reported
  int round_trips = 200;          // small messages; the median is reported
  std::string require_transport;  // "" = any
  Duration deadline = Milliseconds(20'000);
};

struct SelftestReport {
  PeerDescription peer;
  std::uint64_t bytes = 0;              // of one push
  double gigabytes_per_second = 0;      // checksummed and landed, median push
  Duration round_trip{};                // median small message there and back
  std::string checksum_implementation;  // of kvtransfer/copy_crc.h

  /// One line for people.
  std::string ToString() const;
};

/// Runs both ends in this process, a thread each.
/// Errors: FailedPrecondition (another wire than required), DataLoss (a byte or a checksum is
/// wrong), DeadlineExceeded, Unavailable, InvalidArgument (options).
absl::StatusOr<SelftestReport> RunTransferSelftest(const TransferSelftestOptions& options);

/// The driver's half, for a peer in another process that serves a probe of the same shape.
absl::StatusOr<SelftestReport> DriveTransferSelftest(Transport& transport,
                                                     absl::string_view peer_address,
                                                     const TransferSelftestOptions& options);

}  // namespace baton
