#include "kvtransfer/ucx_lanes.h"

#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "kvtransfer/frame_header.h"
#include "kvtransfer/ucx_window.h"

namespace baton {

absl::StatusOr<std::unique_ptr<UcxWorker>> OpenLaneWorker(const UcxOptions& options,
                                                          UcxReceiver& receiver, UcxInlet& inlet) {
  UcxOptions lane = options;
  lane.shm = true;
  lane.tcp = false;
  std::unique_ptr<UcxWorker> worker;
  BATON_ASSIGN_OR_RETURN(worker, UcxWorker::Open(lane));
  BATON_RETURN_IF_ERROR(receiver.Attach(*worker, inlet));
  return worker;
}

std::string LaneAddress(const UcxWorker& worker) {
  UcxAddress address;
  address.shm = true;
  address.machine = ThisMachine();
  address.ucx = worker.address();
  return address.Encode();
}

UcxLanes::UcxLanes(const UcxOptions& options, UcxReceiver& receiver, UcxWorkerSet& workers)
    : options_(options), receiver_(receiver), workers_(workers) {}

absl::Status UcxLanes::OnKnock(StreamId stream, absl::string_view peer_address) {
  if (!options_.shm) return absl::InvalidArgumentError("shared memory is not offered here");
  if (lanes_.size() >= static_cast<std::size_t>(options_.peers_max)) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("%u lanes are open: no more are served", lanes_.size()));
  }
  UcxAddress peer;
  BATON_ASSIGN_OR_RETURN(peer, UcxAddress::Decode(peer_address));
  const auto [at, is_new] = lanes_.try_emplace(stream);
  if (!is_new) return absl::InvalidArgumentError("the stream has a lane already");
  const absl::Status opened = Open(at->second, stream, peer.ucx);
  if (!opened.ok()) at->second.over = true;
  return opened;
}

absl::Status UcxLanes::Open(Lane& lane, StreamId stream, absl::string_view peer_address) {
  BATON_ASSIGN_OR_RETURN(lane.worker, OpenLaneWorker(options_, receiver_, lane.inlet));
  BATON_RETURN_IF_ERROR(workers_.Add(*lane.worker));
  BATON_RETURN_IF_ERROR(lane.back.Open(*lane.worker, peer_address));
  lane.welcome.Post(lane.back, kWelcomeId, stream, LaneAddress(*lane.worker));
  return absl::OkStatus();
}

void UcxLanes::OnGoodbye(StreamId stream) {
  const auto found = lanes_.find(stream);
  if (found != lanes_.end()) found->second.over = true;
}

void UcxLanes::SendCredits() {
  for (auto& [stream, lane] : lanes_) {
    if (lane.over || lane.inlet.segments - lane.credited < kCreditSegments) continue;
    if (!lane.credit.Done()) continue;  // the sum goes with the next one
    lane.credited = lane.inlet.segments;
    std::array<std::byte, 8> sum{};
    StoreLittleEndian(lane.credited, sum.data());
    lane.credit.Post(lane.back, kCreditId, stream,
                     {reinterpret_cast<const char*>(sum.data()), sum.size()});
  }
}

bool UcxLanes::Settle() {
  bool quiet = true;
  for (auto at = lanes_.begin(); at != lanes_.end();) {
    Lane& lane = at->second;
    lane.over = lane.over || lane.back.error().has_value();
    if (!lane.over) {
      ++at;
      continue;
    }
    quiet = false;
    if (!lane.back.Close() || !lane.welcome.Done() || !lane.credit.Done() || !lane.goodbye.Done()) {
      ++at;
      continue;
    }
    if (lane.worker != nullptr) workers_.Remove(*lane.worker);
    at = lanes_.erase(at);
  }
  return quiet;
}

void UcxLanes::SayGoodbye() {
  for (auto& [stream, lane] : lanes_) {
    if (!lane.over) lane.goodbye.Post(lane.back, kGoodbyeId, stream, ".");
    lane.over = true;
  }
}

}  // namespace baton
