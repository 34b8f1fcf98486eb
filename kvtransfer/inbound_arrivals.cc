// What the wire brings to the decode end. Every value here was written by somebody else.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "kvtransfer/handoff_wire.h"
#include "kvtransfer/inbound_core.h"

namespace baton {
namespace {

HandoffReason Failure(HandoffReason said) {
  return said == HandoffReason::kCommitted ? HandoffReason::kProtocol : said;
}

}  // namespace

void InboundTransfers::Impl::Poll(Instant now) {
  transport_.Poll(arrived_);
  std::vector<TransportEvent> events = std::exchange(arrived_, {});
  HearProgress(now);  // before the messages: a Commit is judged by what landed before it
  for (const TransportEvent& event : events) {
    std::visit([&](const auto& value) { Handle(value, now); }, event);
  }
  events.clear();
  arrived_ = std::move(events);  // keeps its memory
}

void InboundTransfers::Impl::HearProgress(Instant now) {
  leases_.TakeTouched(touched_);
  for (const LeaseId lease : touched_) {
    const LeaseProgress* progress = leases_.Find(lease);
    if (progress == nullptr) continue;
    Inbound& handoff = handoffs_.at(lease_owners_.at(lease));
    if (progress->corrupt) {
      Give(handoff, HandoffReceiver::Corrupted{}, now);
    } else {
      Give(handoff, HandoffReceiver::Progressed{}, now);
    }
  }
}

void InboundTransfers::Impl::Handle(const WriteDone&, Instant) {
  ++stats_.bad_messages;  // this end writes no frames
}

void InboundTransfers::Impl::Handle(const PeerLost& event, Instant now) {
  std::erase_if(refused_peers_,
                [&](const RefusedPeer& refused) { return refused.pipe.peer() == event.peer; });
  for (const auto& [id, session] : sessions_) {
    if (session.pipe.peer() == event.peer) return Lose(SessionId{id}, SessionEnd::kLost, now);
  }
}

void InboundTransfers::Impl::Handle(const MessageReceived& event, Instant now) {
  const absl::StatusOr<DecodedMessage> decoded = DecodeMessage(event.payload);
  if (!decoded.ok()) {
    ++stats_.bad_messages;
    return;
  }
  if (const auto* hello = std::get_if<HelloMessage>(&decoded->message)) {
    return Arrived(*hello, now);
  }
  const HandoffHeader& header = decoded->header;
  const auto session = sessions_.find(header.session);
  if (session == sessions_.end()) {
    ++stats_.bad_messages;  // of a session that is over, or never was
    return;
  }
  const Arrival arrival = session->second.pipe.Take(header);
  if (arrival == Arrival::kDuplicate) return;
  const bool frames_missing = leases_.FramesOffered(header.session) < header.frames_before;
  if (arrival == Arrival::kGap || frames_missing)
    return Lose(header.session, SessionEnd::kLost, now);
  Arrived(header.session, decoded->message, now);
}

void InboundTransfers::Impl::Arrived(SessionId session, const HandoffMessage& message,
                                     Instant now) {
  if (const auto* offer = std::get_if<OfferMessage>(&message)) {
    InboundSession& from = sessions_.at(session);
    from.renew_seen = std::max(from.renew_seen, offer->renew);
    return Arrived(session, *offer, now);
  }
  if (const auto* renew = std::get_if<RenewMessage>(&message)) return Arrived(session, *renew, now);
  if (const auto* commit = std::get_if<CommitMessage>(&message)) {
    return Arrived(session, *commit, now);
  }
  if (const auto* abort = std::get_if<AbortMessage>(&message)) return Arrived(session, *abort, now);
  if (const auto* ack = std::get_if<AbortAckMessage>(&message)) return Arrived(session, *ack, now);
  if (std::get_if<ByeMessage>(&message) != nullptr) {
    sessions_.at(session).peer_drains = true;
    return;
  }
  ++stats_.bad_messages;  // not for this end
}

void InboundTransfers::Impl::Arrived(SessionId id, const OfferMessage& offer, Instant now) {
  const auto session = sessions_.find(id);
  if (session == sessions_.end()) return;  // held, and its session gone meanwhile
  if (draining_) return SayAbort(id, offer, HandoffReason::kDraining);
  const auto found = handoffs_.find(offer.id);
  if (found == handoffs_.end()) {
    const auto newer = handoffs_.upper_bound(offer.id);
    const bool stale = newer != handoffs_.end() && newer->first.request == offer.id.request;
    if (stale || ended_.Has(offer.id)) return SayAbort(id, offer, HandoffReason::kStale);
    if (held_offers_.size() >= limits_.held_offers_max) {
      return SayAbort(id, offer, HandoffReason::kUnknownRequest);
    }
    held_offers_.push_back({offer, id, now + limits_.hold_early});
    return;
  }
  Inbound& handoff = found->second;
  if (handoff.expect.prefill != session->second.incarnation) {
    return SayAbort(id, offer, HandoffReason::kUnknownRequest);
  }
  if (handoff.receiver.state() != ReceiverState::kExpected) {
    return SayAbort(id, offer, HandoffReason::kStale);
  }
  handoff.session = id;
  handoff.offer = offer;
  Give(handoff, HandoffReceiver::Offered{offer}, now);
}

void InboundTransfers::Impl::Arrived(SessionId id, const RenewMessage& renew, Instant now) {
  InboundSession& session = sessions_.at(id);
  session.renew_seen = std::max(session.renew_seen, renew.renew);
  RenewAckMessage ack;
  ack.renew = renew.renew;
  for (const LeaseId lease : renew.leases) {
    Inbound* handoff = FindLease(lease, id);
    if (handoff != nullptr) {
      Give(*handoff, HandoffReceiver::Renewed{}, now);
    } else if (!committed_.Has(lease)) {
      ack.unknown.push_back(lease);
    }
  }
  ack.consumed_bytes = leases_.BytesOffered(id);
  session.credited_bytes = ack.consumed_bytes;
  Say(id, ack);
}

void InboundTransfers::Impl::Arrived(SessionId id, const CommitMessage& commit, Instant now) {
  Inbound* handoff = FindLease(commit.lease, id);
  if (handoff != nullptr) {
    return Give(*handoff, HandoffReceiver::CommitArrived{commit, *leases_.Find(commit.lease)}, now);
  }
  if (committed_.Has(commit.lease)) return Say(id, CommitAckMessage{commit.lease, true, {}});
  ++stats_.stale_commits;
  Say(id, CommitAckMessage{commit.lease, false, HandoffReason::kStale});
}

void InboundTransfers::Impl::Arrived(SessionId id, const AbortMessage& abort, Instant now) {
  std::erase_if(held_offers_, [&](const HeldOffer& held) {
    return held.session == id && held.offer.handoff == abort.handoff;
  });
  for (auto& [attempt, handoff] : handoffs_) {
    if (handoff.session != id || handoff.receiver.handoff() != abort.handoff) continue;
    return Give(handoff, HandoffReceiver::PeerAborted{Failure(abort.reason)}, now);
  }
}

void InboundTransfers::Impl::Arrived(SessionId id, const AbortAckMessage& ack, Instant now) {
  Inbound* handoff = FindLease(ack.lease, id);
  if (handoff == nullptr) return;  // closed already: an erased lease waits for nobody
  Give(*handoff, HandoffReceiver::PeerAborted{HandoffReason::kCancelled}, now);
}

InboundTransfers::Impl::Inbound* InboundTransfers::Impl::FindLease(LeaseId lease,
                                                                   SessionId session) {
  const auto owner = lease_owners_.find(lease);
  if (owner == lease_owners_.end()) return nullptr;
  Inbound& handoff = handoffs_.at(owner->second);
  return handoff.session == session ? &handoff : nullptr;
}

}  // namespace baton
