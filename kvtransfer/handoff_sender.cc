#include "kvtransfer/handoff_sender.h"

#include <algorithm>

#include "base/check.h"

namespace baton {

HandoffSender::HandoffSender(const Plan& plan, const TransferLimits& limits, Instant now)
    : plan_(plan),
      limits_(limits),
      order_(plan.num_pages, plan.ready_pages),
      grant_until_(now + limits.grant_wait) {
  BATON_CHECK(plan.ready_pages <= plan.num_pages);
}

SenderActions HandoffSender::On(const Event& event, Instant now) {
  SenderActions out;
  std::visit([&](const auto& value) { Handle(value, now, out); }, event);
  return out;
}

void HandoffSender::Handle(const SessionOpened& event, Instant, SenderActions& out) {
  if (state_ != SenderState::kWaiting) return;
  order_.CutAs(event.plan);
  state_ = SenderState::kOffered;
  out.push_back(SenderAction::kSendOffer);
}

void HandoffSender::Handle(const Granted& event, Instant now, SenderActions& out) {
  const GrantMessage& grant = event.grant;
  if (state_ == SenderState::kWaiting || grant.attempt != plan_.attempt) return;
  if (terminal()) {
    // The peer lent pages to a hand-off that is over: tell it that nothing will be written.
    lease_ = grant.lease;
    owes_abort_ack_ = true;
    return Settle(out);
  }
  if (grant.number < grants_) return;  // a duplicate
  if (!Fits(grant)) return Fail(HandoffReason::kProtocol, /*tell_peer=*/true, out);
  if (now >= event.post_until) {  // it lay somewhere while its lease ran
    lease_ = grant.lease;
    return Fail(HandoffReason::kLeaseEnd, /*tell_peer=*/true, out);
  }
  ++grants_;
  post_until_ = std::max(post_until_, event.post_until);
  const bool first = state_ == SenderState::kOffered;
  if (first) {
    state_ = SenderState::kSending;
    lease_ = grant.lease;
    order_.StartAt(grant.first_page);
  }
  std::uint32_t end = order_.granted_end();
  for (const PageRun& run : grant.runs) end += run.count;
  order_.GrantUpTo(end);
  granted_all_ = grant.final;
  if (first) out.push_back(SenderAction::kNotifyGranted);
  TryCommit(now, out);
}

bool HandoffSender::Fits(const GrantMessage& grant) const {
  if (Index(grant.lease) == 0 || grant.number != grants_) return false;
  if (state_ == SenderState::kCommitting || granted_all_) return false;
  if (grants_ > 0 && (grant.lease != lease_ || grant.first_page != order_.first_page()))
    return false;
  if (grant.first_page > plan_.num_pages) return false;
  std::uint64_t end = grants_ > 0 ? order_.granted_end() : grant.first_page;
  for (const PageRun& run : grant.runs) end += run.count;
  if (end > plan_.num_pages) return false;
  return !grant.final || end == plan_.num_pages;
}

void HandoffSender::Handle(const PagesReady& event, Instant, SenderActions&) {
  BATON_CHECK(event.end <= plan_.num_pages);
  order_.PagesReady(event.end);
}

void HandoffSender::Handle(const FrontsReady& event, Instant, SenderActions&) {
  BATON_CHECK(event.first <= plan_.num_pages);
  order_.FrontsReady(event.first, event.bytes);
}

void HandoffSender::Handle(const FirstToken& event, Instant now, SenderActions& out) {
  if (terminal() || state_ == SenderState::kCommitting || token_known_) return;
  if (event.ends) return Fail(HandoffReason::kFirstTokenEnds, /*tell_peer=*/true, out);
  token_known_ = true;
  first_token_ = event.token;
  TryCommit(now, out);
}

void HandoffSender::Handle(const Renewed& event, Instant, SenderActions&) {
  post_until_ = std::max(post_until_, event.post_until);
}

void HandoffSender::Handle(const LeaseUnknown&, Instant, SenderActions& out) {
  if (state_ != SenderState::kSending && state_ != SenderState::kCommitting) return;
  Fail(HandoffReason::kLeaseEnd, /*tell_peer=*/true, out);
}

void HandoffSender::Handle(const Posted& event, Instant now, SenderActions& out) {
  BATON_CHECK(state_ == SenderState::kSending);
  order_.Posted(event.pieces);
  ++writes_open_;
  bytes_ += event.bytes;
  digest_ += event.digest;
  TryCommit(now, out);
}

void HandoffSender::Handle(const WriteReported& event, Instant, SenderActions& out) {
  BATON_CHECK(writes_open_ > 0);
  --writes_open_;
  if (!event.ok && !terminal()) return Fail(HandoffReason::kWriteFailed, /*tell_peer=*/true, out);
  Settle(out);
}

void HandoffSender::Handle(const PeerAborted& event, Instant, SenderActions& out) {
  owes_abort_ack_ = Index(lease_) != 0;
  if (terminal()) return Settle(out);
  Fail(event.reason, /*tell_peer=*/false, out);
}

void HandoffSender::Handle(const CommitAcked& event, Instant, SenderActions& out) {
  if (state_ != SenderState::kCommitting) return;
  if (!event.ok) return Fail(event.reason, /*tell_peer=*/false, out);
  state_ = SenderState::kComplete;
  out.push_back(SenderAction::kNotifyEnded);
  Settle(out);
}

void HandoffSender::Handle(const Cancelled& event, Instant, SenderActions& out) {
  // Once Commit is on its way its outcome is the peer's to say: it hears a cancel from the router.
  if (terminal() || state_ == SenderState::kCommitting) return;
  Fail(event.reason, /*tell_peer=*/true, out);
}

void HandoffSender::Handle(const SessionLost& event, Instant, SenderActions& out) {
  owes_abort_ack_ = false;
  if (terminal()) return;
  Fail(event.reason, /*tell_peer=*/false, out);
}

void HandoffSender::Handle(const Timer&, Instant now, SenderActions& out) {
  if (now < due()) return;
  const bool waits_for_grant = state_ == SenderState::kWaiting || state_ == SenderState::kOffered;
  const bool waits_for_ack = state_ == SenderState::kCommitting && now >= commit_until_;
  Fail(waits_for_grant || waits_for_ack ? HandoffReason::kDeadline : HandoffReason::kLeaseEnd,
       /*tell_peer=*/true, out);
}

bool HandoffSender::NextPiece(std::uint32_t ahead, Instant now, PieceToSend& piece) const {
  return state_ == SenderState::kSending && now < post_until_ && order_.Next(ahead, piece);
}

Instant HandoffSender::due() const {
  switch (state_) {
    case SenderState::kWaiting:
    case SenderState::kOffered:
      return grant_until_;
    case SenderState::kSending:
      return post_until_;
    case SenderState::kCommitting:
      return std::min(post_until_, commit_until_);
    case SenderState::kComplete:
    case SenderState::kFailed:
      return kNever;
  }
  return kNever;
}

CommitMessage HandoffSender::commit() const {
  CommitMessage commit;
  commit.lease = lease_;
  commit.handoff = plan_.handoff;
  commit.attempt = plan_.attempt;
  commit.pages = plan_.num_pages - order_.first_page();
  commit.tokens = plan_.prompt_tokens;
  commit.bytes = bytes_;
  commit.digest = digest_;
  commit.first_token = first_token_;
  return commit;
}

void HandoffSender::TryCommit(Instant now, SenderActions& out) {
  if (state_ != SenderState::kSending || !token_known_ || now >= post_until_) return;
  const bool all_posted = granted_all_ && order_.all_posted();
  if (!all_posted) return;
  state_ = SenderState::kCommitting;
  commit_until_ = now + limits_.commit_wait;
  out.push_back(SenderAction::kSendCommit);
}

void HandoffSender::Fail(HandoffReason reason, bool tell_peer, SenderActions& out) {
  const bool peer_knows_us = state_ != SenderState::kWaiting;
  state_ = SenderState::kFailed;
  reason_ = reason;
  if (tell_peer && peer_knows_us) {
    out.push_back(SenderAction::kSendAbort);
    owes_abort_ack_ = Index(lease_) != 0 && !drained();  // a drained Abort says it already
  }
  out.push_back(SenderAction::kNotifyEnded);
  Settle(out);
}

void HandoffSender::Settle(SenderActions& out) {
  if (!settled()) return;  // a write may still read the source pages
  if (owes_abort_ack_) out.push_back(SenderAction::kSendAbortAck);
  owes_abort_ack_ = false;
  if (told_settled_) return;
  told_settled_ = true;
  out.push_back(SenderAction::kNotifySettled);
}

}  // namespace baton
