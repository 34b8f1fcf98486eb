// What the wire brings to the prefill end. Every value here was written by somebody else.
#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "kvtransfer/outbound_core.h"

namespace baton {
namespace {

// A peer cannot end a hand-off with the word for its success.
HandoffReason Failure(HandoffReason said, HandoffReason instead) {
  return said == HandoffReason::kCommitted ? instead : said;
}

}  // namespace

void OutboundTransfers::Impl::Poll(Instant now) {
  transport_.Poll(arrived_);
  std::vector<TransportEvent> events = std::exchange(arrived_, {});
  for (const TransportEvent& event : events) {
    std::visit([&](const auto& value) { Handle(value, now); }, event);
  }
  events.clear();
  arrived_ = std::move(events);  // keeps its memory
}

void OutboundTransfers::Impl::Handle(const WriteDone& event, Instant now) {
  const auto write = open_writes_.find(event.tag);
  if (write == open_writes_.end()) return;
  const auto handoff = handoffs_.find(write->second.handoff);
  const auto session = sessions_.find(handoff->second.session);
  if (session != sessions_.end() && session->second.id() == write->second.session) {
    session->second.CountWritten(write->second.bytes);
  }
  open_writes_.erase(write);
  handoff->second.last_write_at = now;
  Give(handoff->second, HandoffSender::WriteReported{event.status.ok()}, now);
}

void OutboundTransfers::Impl::Handle(const PeerLost& event, Instant now) {
  for (auto& [key, session] : sessions_) {
    if (!session.has_pipe() || session.pipe().peer() != event.peer) continue;
    return Lose(key, HandoffReason::kPeerLost, "", now);
  }
}

void OutboundTransfers::Impl::Handle(const MessageReceived& event, Instant now) {
  const absl::StatusOr<DecodedMessage> decoded = DecodeMessage(event.payload);
  if (!decoded.ok()) {
    ++stats_.bad_messages;
    return;
  }
  const HandoffHeader& header = decoded->header;
  const SessionKey key = FindSession(header.session);
  if (key == 0) {
    const auto* ack = std::get_if<HelloAckMessage>(&decoded->message);
    if (ack != nullptr) return Acknowledged(header, *ack, now);
    ++stats_.bad_messages;  // of a session that is over, or never was
    return;
  }
  switch (sessions_.at(key).pipe().Take(header)) {
    case Arrival::kNext:
      return Arrived(key, decoded->message, now);
    case Arrival::kDuplicate:
      return;
    case Arrival::kGap:
      return Lose(key, HandoffReason::kPeerLost, "", now);
  }
}

void OutboundTransfers::Impl::Acknowledged(const HandoffHeader& header, const HelloAckMessage& ack,
                                           Instant now) {
  for (auto& [key, session] : sessions_) {
    if (session.state() != OutboundSessionState::kConnecting) continue;
    if (session.nonce() != ack.nonce) continue;
    if (ack.refused) {
      stats_.hello_refused.Count(IsKnown(ack.refusal.field) ? ack.refusal.field : "other");
      const std::string difference =
          absl::StrFormat("%s: decode worker has %s, prefill worker has %s", ack.refusal.field,
                          ack.refusal.mine, ack.refusal.yours);
      return Lose(key, Failure(ack.refusal.reason, HandoffReason::kRefused), difference, now);
    }
    const std::string misfit = session.Misfit(ack, arena_.layout().PageBytes());
    if (!misfit.empty() || Index(header.session) == 0) {
      stats_.hello_refused.Count("answer");
      return Lose(key, HandoffReason::kRefused, misfit, now);
    }
    session.Opened(header.session, ack);
    session.set_renewed_at(now);
    for (auto& [id, handoff] : handoffs_) {
      if (handoff.session != key) continue;
      Give(handoff, HandoffSender::SessionOpened{session.plan()}, now);
    }
    if (draining_) Say(key, ByeMessage{HandoffReason::kDraining});
    return;
  }
  ++stats_.bad_messages;  // nobody waits for it
}

/// Whether a field that a peer names is one that this worker knows: a label must not be its word.
bool OutboundTransfers::Impl::IsKnown(const std::string& field) const {
  for (const char* own :
       {"incarnation", "fingerprint", "frame_bytes_max", "draining", "sessions"}) {
    if (field == own) return true;
  }
  return std::any_of(self_.fields.begin(), self_.fields.end(),
                     [&](const auto& named) { return named.first == field; });
}

void OutboundTransfers::Impl::Arrived(SessionKey key, const HandoffMessage& message, Instant now) {
  if (const auto* grant = std::get_if<GrantMessage>(&message)) return Arrived(key, *grant, now);
  if (const auto* ack = std::get_if<RenewAckMessage>(&message)) return Arrived(key, *ack, now);
  if (const auto* ack = std::get_if<CommitAckMessage>(&message)) return Arrived(key, *ack, now);
  if (const auto* abort = std::get_if<AbortMessage>(&message)) return Arrived(key, *abort, now);
  if (const auto* credit = std::get_if<CreditMessage>(&message)) {
    return sessions_.at(key).Credited(credit->consumed_bytes, now);
  }
  if (std::get_if<ByeMessage>(&message) != nullptr) return sessions_.at(key).set_peer_drains();
  ++stats_.bad_messages;  // not for this end
}

void OutboundTransfers::Impl::Arrived(SessionKey key, const GrantMessage& grant, Instant now) {
  OutboundSession& session = sessions_.at(key);
  session.Answered(grant.renew_seen);
  Outbound* handoff = Find(grant.handoff, key);
  if (handoff == nullptr) {
    ++stats_.late_grants;
    return Say(key, AbortAckMessage{grant.lease});  // settled long ago: nothing will be written
  }
  if (handoff->sender.terminal()) ++stats_.late_grants;
  const Instant post_until = session.PostUntil(grant.renew_seen).value_or(Instant::min());
  Give(*handoff, HandoffSender::Granted{grant, post_until}, now);
}

void OutboundTransfers::Impl::Arrived(SessionKey key, const RenewAckMessage& ack, Instant now) {
  OutboundSession& session = sessions_.at(key);
  session.Answered(ack.renew);
  session.Credited(ack.consumed_bytes, now);
  for (const LeaseId lease : ack.unknown) {
    Outbound* handoff = FindLease(lease, key);
    if (handoff != nullptr) Give(*handoff, HandoffSender::LeaseUnknown{}, now);
  }
  const std::optional<Instant> post_until = session.PostUntil(ack.renew);
  if (!post_until.has_value()) return;
  for (auto& [id, handoff] : handoffs_) {
    const bool named = handoff.first_renew != 0 && handoff.first_renew <= ack.renew;
    if (handoff.session == key && named) Give(handoff, HandoffSender::Renewed{*post_until}, now);
  }
}

void OutboundTransfers::Impl::Arrived(SessionKey key, const CommitAckMessage& ack, Instant now) {
  Outbound* handoff = FindLease(ack.lease, key);
  if (handoff == nullptr) return;
  Give(*handoff, HandoffSender::CommitAcked{ack.ok, Failure(ack.reason, HandoffReason::kProtocol)},
       now);
}

void OutboundTransfers::Impl::Arrived(SessionKey key, const AbortMessage& abort, Instant now) {
  Outbound* handoff = Find(abort.handoff, key);
  if (handoff == nullptr) {
    if (Index(abort.lease) != 0) Say(key, AbortAckMessage{abort.lease});
    return;
  }
  handoff->retry_after_ms = abort.retry_after_ms;
  Give(*handoff, HandoffSender::PeerAborted{Failure(abort.reason, HandoffReason::kProtocol)}, now);
}

OutboundTransfers::Impl::Outbound* OutboundTransfers::Impl::Find(HandoffId id, SessionKey key) {
  const auto found = handoffs_.find(id);
  return found != handoffs_.end() && found->second.session == key ? &found->second : nullptr;
}

OutboundTransfers::Impl::Outbound* OutboundTransfers::Impl::FindLease(LeaseId lease,
                                                                      SessionKey key) {
  for (auto& [id, handoff] : handoffs_) {
    if (handoff.session == key && handoff.sender.lease() == lease) return &handoff;
  }
  return nullptr;
}

OutboundTransfers::Impl::SessionKey OutboundTransfers::Impl::FindSession(SessionId id) const {
  for (const auto& [key, session] : sessions_) {
    if (session.open() && session.id() == id) return key;
  }
  return 0;
}

}  // namespace baton
