#include "kvtransfer/handoff_receiver.h"

#include <algorithm>

#include "base/check.h"

namespace baton {

HandoffReceiver::HandoffReceiver(const Plan& plan, const TransferLimits& limits)
    : plan_(plan), limits_(limits) {}

ReceiverActions HandoffReceiver::On(const Event& event, Instant now) {
  ReceiverActions out;
  std::visit([&](const auto& value) { Handle(value, now, out); }, event);
  return out;
}

void HandoffReceiver::Handle(const Offered& event, Instant now, ReceiverActions& out) {
  if (state_ != ReceiverState::kExpected) return;  // the caller answers a second Offer
  handoff_ = event.offer.handoff;
  peer_knows_us_ = true;
  if (event.offer.prompt_key != plan_.prompt_key ||
      event.offer.prompt_tokens != plan_.prompt_tokens) {
    return Close(HandoffReason::kKeysDiffer, Tell::kAbort, out);
  }
  state_ = ReceiverState::kOffered;
  grant_until_ = now + limits_.grant_wait;
  out.push_back(ReceiverAction::kNotifyOffer);
}

void HandoffReceiver::Handle(const Lent& event, Instant now, ReceiverActions& out) {
  if (over() || state_ == ReceiverState::kExpected) {
    out.push_back(ReceiverAction::kReturnPages);
    return;
  }
  const bool first = state_ == ReceiverState::kOffered;
  if (first) {
    first_page_ = event.first_page;
    lent_end_ = event.first_page;
  }
  BATON_CHECK(!lent_all_ && event.first_page == first_page_);
  lent_end_ += event.pages;
  lent_all_ = event.final;
  BATON_CHECK(lent_end_ <= plan_.num_pages && (!lent_all_ || lent_end_ == plan_.num_pages));
  state_ = ReceiverState::kReceiving;
  lease_end_ = now + limits_.lease_ttl;
  progress_at_ = now;
  if (first) out.push_back(ReceiverAction::kOpenLease);
  out.push_back(ReceiverAction::kAppendLease);
  out.push_back(ReceiverAction::kSendGrant);
}

void HandoffReceiver::Handle(const Refused& event, Instant, ReceiverActions& out) {
  if (over()) return;
  retry_after_ms_ = event.retry_after_ms;
  Close(event.reason, Tell::kAbort, out);
}

void HandoffReceiver::Handle(const Progressed&, Instant now, ReceiverActions&) {
  progress_at_ = now;
}

void HandoffReceiver::Handle(const Corrupted&, Instant, ReceiverActions& out) {
  if (state_ != ReceiverState::kReceiving) return;
  Close(HandoffReason::kCorrupt, Tell::kAbort, out);
}

void HandoffReceiver::Handle(const Renewed&, Instant now, ReceiverActions&) {
  lease_end_ = std::max(lease_end_, now + limits_.lease_ttl);
}

void HandoffReceiver::Handle(const CommitArrived& event, Instant, ReceiverActions& out) {
  if (state_ != ReceiverState::kReceiving) return;  // the caller answers for closed leases
  if (!Agrees(event.commit, event.progress)) {
    return Close(HandoffReason::kCorrupt, Tell::kRefusedCommit, out);
  }
  state_ = ReceiverState::kCommitted;
  first_token_ = event.commit.first_token;
  out.push_back(ReceiverAction::kEraseLease);
  out.push_back(ReceiverAction::kNotifyCommitted);
  out.push_back(ReceiverAction::kNotifyLeaseClosed);
  out.push_back(ReceiverAction::kAckCommit);
}

bool HandoffReceiver::Agrees(const CommitMessage& commit, const LeaseProgress& progress) const {
  if (commit.handoff != handoff_) return false;
  if (commit.attempt != plan_.id.attempt) return false;
  if (commit.tokens != plan_.prompt_tokens) return false;
  if (!lent_all_ || commit.pages != progress.pages) return false;
  if (!progress.whole()) return false;
  return commit.bytes == progress.bytes && commit.digest == progress.digest;
}

void HandoffReceiver::Handle(const PeerAborted& event, Instant, ReceiverActions& out) {
  if (over() || state_ == ReceiverState::kExpected) return;
  Close(event.reason, Tell::kNothing, out);
}

void HandoffReceiver::Handle(const Dropped& event, Instant, ReceiverActions& out) {
  if (over()) return;
  Close(event.reason, Tell::kAbort, out);
}

void HandoffReceiver::Handle(const SessionLost&, Instant, ReceiverActions& out) {
  if (over() || state_ == ReceiverState::kExpected) return;
  Close(HandoffReason::kPeerLost, Tell::kNothing, out);
}

void HandoffReceiver::Handle(const Timer&, Instant now, ReceiverActions& out) {
  if (now < due()) return;
  if (state_ == ReceiverState::kOffered) return Close(HandoffReason::kNoRoom, Tell::kAbort, out);
  // Erasing the lease is what makes its pages quiet; the time that passed alone would not.
  const bool ended = now >= lease_end_;
  Close(ended ? HandoffReason::kLeaseEnd : HandoffReason::kStall, Tell::kAbort, out);
}

Instant HandoffReceiver::due() const {
  if (state_ == ReceiverState::kOffered) return grant_until_;
  if (state_ == ReceiverState::kReceiving) {
    return std::min(lease_end_, progress_at_ + limits_.stall);
  }
  return kNever;
}

void HandoffReceiver::Close(HandoffReason reason, Tell tell, ReceiverActions& out) {
  const bool had_lease = state_ == ReceiverState::kReceiving;
  state_ = ReceiverState::kClosed;
  reason_ = reason;
  if (had_lease) out.push_back(ReceiverAction::kEraseLease);
  if (tell == Tell::kAbort && peer_knows_us_) out.push_back(ReceiverAction::kSendAbort);
  if (tell == Tell::kRefusedCommit) out.push_back(ReceiverAction::kRefuseCommit);
  out.push_back(ReceiverAction::kNotifyFailed);
  if (had_lease) out.push_back(ReceiverAction::kNotifyLeaseClosed);
}

}  // namespace baton
