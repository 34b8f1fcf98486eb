// The lanes that peers asked us for: for each stream that reaches us through shared memory a worker
// of our own, whose receive queue only that peer fills (why: kvtransfer/ucx_peer.h).
//
// Thread: confined to the owner of the transport.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "kvtransfer/ucx_address.h"
#include "kvtransfer/ucx_endpoint.h"
#include "kvtransfer/ucx_receiver.h"
#include "kvtransfer/ucx_worker_set.h"

namespace baton {

class UcxLanes {
 public:
  /// `receiver` and `workers` outlive the lanes. `options` are of a lane: shared memory alone.
  UcxLanes(const UcxOptions& options, UcxReceiver& receiver, UcxWorkerSet& workers);
  UcxLanes(const UcxLanes&) = delete;
  UcxLanes& operator=(const UcxLanes&) = delete;

  /// Opens the lane of `stream` and tells its address to the peer's end.
  /// Errors: InvalidArgument (not an address), ResourceExhausted (too many lanes), Unavailable.
  absl::Status OnKnock(StreamId stream, absl::string_view peer_address);

  void OnGoodbye(StreamId stream);

  /// Tells senders what was consumed, once it is kCreditSegments. After progress calls.
  void SendCredits();

  /// Removes lanes whose peers are gone. True when nothing is on its way out.
  bool Settle();

  /// For shutting down: tells every sender, and lets its lane go.
  void SayGoodbye();

  bool empty() const { return lanes_.empty(); }
  std::size_t size() const { return lanes_.size(); }

 private:
  struct Lane {
    UcxInlet inlet;
    std::unique_ptr<UcxWorker> worker;
    UcxEndpoint back;
    UcxNote welcome;
    UcxNote credit;
    UcxNote goodbye;
    std::uint64_t credited = 0;  // segments that the sender was told of
    bool over = false;
  };

  absl::Status Open(Lane& lane, StreamId stream, absl::string_view peer_address);

  const UcxOptions options_;
  UcxReceiver& receiver_;
  UcxWorkerSet& workers_;
  std::map<StreamId, Lane> lanes_;
};

/// A lane's worker: shared memory alone, attached to `receiver` through `inlet`.
absl::StatusOr<std::unique_ptr<UcxWorker>> OpenLaneWorker(const UcxOptions& options,
                                                          UcxReceiver& receiver, UcxInlet& inlet);

/// How a lane's end names itself in a knock or welcome.
std::string LaneAddress(const UcxWorker& worker);

}  // namespace baton
