#include "kvtransfer/ucx_peer.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "kvtransfer/ucx_status.h"

namespace baton {

absl::Status UcxPeer::OpenDoor(UcxWorker& worker, absl::string_view ucx_address) {
  BATON_RETURN_IF_ERROR(door.Open(worker, ucx_address));
  ready = true;
  return absl::OkStatus();
}

void UcxPeer::Knock(std::unique_ptr<UcxWorker> own_lane, absl::string_view own_address,
                    Instant now) {
  lane = std::move(own_lane);
  ready = false;
  welcome_until = now + kWelcomeTimeMax;
  knock.Post(door, kKnockId, stream, own_address);
}

void UcxPeer::OnWelcome(absl::string_view ucx_address) {
  if (state != State::kOpen || lane == nullptr || ready) return;
  const absl::Status opened = data.Open(*lane, ucx_address);
  if (!opened.ok()) {
    MarkLost(opened);
    return;
  }
  ready = true;
}

void UcxPeer::OnCredit(std::uint64_t segments) {
  if (segments > segments_posted) return;
  segments_credited = std::max(segments_credited, segments);
}

void UcxPeer::MarkLost(const absl::Status& why) {
  if (state != State::kOpen) return;
  state = State::kLost;
  reason = absl::UnavailableError(why.message());
}

void UcxPeer::Check(Instant now) {
  for (const UcxEndpoint* endpoint : {&door, &data}) {
    if (endpoint->error().has_value()) MarkLost(FromUcx(*endpoint->error(), "the peer is lost"));
  }
  if (!ready && now >= welcome_until) {
    MarkLost(absl::UnavailableError("the peer gave no lane in shared memory in time"));
  }
}

bool UcxPeer::TakeDown(Instant now) {
  const bool polite = state == State::kClosed && lane != nullptr && ready;
  if (!ending) {
    ending = true;
    goodbye_until = now + kGoodbyeTimeMax;
    if (polite) goodbye.Post(data, kGoodbyeId, stream, ".");
  }
  if (polite && !goodbye.Done() && !data.error().has_value() && now < goodbye_until) return false;
  const bool data_closed = data.Close();
  const bool door_closed = door.Close();
  return data_closed && door_closed && goodbye.Done() && knock.Done() && sends_open == 0;
}

}  // namespace baton
