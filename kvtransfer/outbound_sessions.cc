// The lives of the prefill end's sessions: opened when a hand-off wants one, renewed while one
// lives, lost with all its hand-offs.
#include <algorithm>
#include <utility>

#include "kvtransfer/handoff_digest.h"
#include "kvtransfer/outbound_core.h"

namespace baton {
namespace {

SessionEnd EndOf(HandoffReason reason) {
  switch (reason) {
    case HandoffReason::kPeerLost:
      return SessionEnd::kLost;
    case HandoffReason::kDeadline:
      return SessionEnd::kNoAnswer;
    case HandoffReason::kDraining:
      return SessionEnd::kDrained;
    default:
      return SessionEnd::kRefused;
  }
}

constexpr Duration kTryAgain = Milliseconds(1);  // messages that the transport had no room for

}  // namespace

OutboundTransfers::Impl::SessionKey OutboundTransfers::Impl::SessionFor(const DecodePeer& peer) {
  for (auto& [key, session] : sessions_) {
    if (session.peer().incarnation != peer.incarnation) continue;
    if (session.peer().worker_id != peer.worker_id) continue;
    if (!session.has_pipe()) session.set_peer(peer);  // the newest introduction
    return key;
  }
  if (sessions_.size() >= limits_.sessions_max && !MakeRoomForSession()) return 0;
  const SessionKey key = next_session_++;
  sessions_.emplace(key, OutboundSession(peer, limits_));
  return key;
}

bool OutboundTransfers::Impl::MakeRoomForSession() {
  CountLive();
  for (auto place = sessions_.begin(); place != sessions_.end(); ++place) {
    OutboundSession& session = place->second;
    if (session.live() > 0) continue;
    if (session.has_pipe()) transport_.Close(session.pipe().peer());
    stats_.sessions_ended.Count(SessionEnd::kEvicted);
    sessions_.erase(place);
    return true;
  }
  return false;
}

void OutboundTransfers::Impl::CountLive() {
  for (auto& [key, session] : sessions_) session.set_live(0);
  for (const auto& [id, handoff] : handoffs_) {
    const auto session = sessions_.find(handoff.session);
    if (session == sessions_.end() || handoff.sender.settled()) continue;
    session->second.set_live(session->second.live() + 1);
  }
}

void OutboundTransfers::Impl::TickSession(SessionKey key, OutboundSession& session, Instant now) {
  if (session.state() == OutboundSessionState::kIdle) {
    if (session.live() > 0 && now >= session.connect_at()) Connect(key, session, now);
    return;
  }
  if (session.broken() || !session.pipe().Flush().ok()) {
    return Lose(key, HandoffReason::kPeerLost, "", now);
  }
  if (session.state() == OutboundSessionState::kConnecting) {
    if (now >= session.hello_until()) Lose(key, HandoffReason::kDeadline, "", now);
    return;
  }
  if (session.live() == 0) {
    if (session.peer_drains()) Lose(key, HandoffReason::kDraining, "", now);
    return;
  }
  if (now >= session.silence_due()) return Lose(key, HandoffReason::kPeerLost, "", now);
  if (now >= session.renew_due()) Renew(key, session, now);
}

void OutboundTransfers::Impl::Connect(SessionKey key, OutboundSession& session, Instant now) {
  const absl::StatusOr<PeerId> peer = transport_.Connect(session.peer().transfer_address);
  if (!peer.ok()) return Lose(key, HandoffReason::kPeerLost, "", now);
  session.Connecting(SessionPipe(transport_, *peer), Draw(), now);
  HelloMessage hello;
  hello.nonce = session.nonce();
  hello.introduction = session.peer().introduction;
  hello.worker_id = self_.worker_id;
  hello.incarnation = self_.incarnation;
  hello.expected_incarnation = session.peer().incarnation;
  hello.transfer_address = transport_.address();
  hello.fingerprint = fingerprint_;
  hello.fields = self_.fields;
  hello.frame_bytes_max = kFrameBytesMax;
  Say(key, hello);
}

void OutboundTransfers::Impl::Renew(SessionKey key, OutboundSession& session, Instant now) {
  RenewMessage renew;
  renew.renew = session.Numbered(now);
  // A live transfer thread must not keep leases for an engine that stands.
  const bool engine_stands = steps_.Stands(limits_.stall, now);
  for (auto& [id, handoff] : handoffs_) {
    if (handoff.session != key || handoff.sender.terminal()) continue;
    if (Index(handoff.sender.lease()) == 0) continue;
    const bool needs_engine = handoff.sender.state() == SenderState::kSending;
    const bool named = !(needs_engine && engine_stands) && renew.leases.size() < kRenewLeasesMax;
    if (!named) {
      handoff.first_renew = 0;  // an answer to this Renew extends nothing here
      continue;
    }
    if (handoff.first_renew == 0) handoff.first_renew = renew.renew;
    renew.leases.push_back(handoff.sender.lease());
  }
  session.set_renewed_at(now);
  Say(key, renew);
}

void OutboundTransfers::Impl::Lose(SessionKey key, HandoffReason reason, const std::string& message,
                                   Instant now) {
  OutboundSession& session = sessions_.at(key);
  const PeerDescription description =
      session.has_pipe() ? transport_.Describe(session.pipe().peer()) : PeerDescription{};
  if (session.has_pipe()) {
    transport_.Close(session.pipe().peer());  // its open writes report at the next Poll
    stats_.sessions_ended.Count(EndOf(reason));
  }
  const double jitter = static_cast<double>(Draw() >> 11) * 0x1p-53;
  session.Lost(jitter, now);
  for (auto& [id, handoff] : handoffs_) {
    if (handoff.session != key) continue;
    if (!handoff.sender.terminal()) handoff.message = message;
    handoff.wire = description.wire;
    Give(handoff, HandoffSender::SessionLost{reason}, now);
  }
}

Instant OutboundTransfers::Impl::DueOf(const OutboundSession& session, Instant now) const {
  if (session.broken()) return now;
  if (session.has_pipe() && session.pipe().waits()) return now + kTryAgain;
  switch (session.state()) {
    case OutboundSessionState::kIdle:
      return session.live() > 0 ? session.connect_at() : kNever;
    case OutboundSessionState::kConnecting:
      return session.hello_until();
    case OutboundSessionState::kOpen:
      return session.live() > 0 ? std::min(session.renew_due(), session.silence_due()) : kNever;
  }
  return kNever;
}

std::uint64_t OutboundTransfers::Impl::Draw() { return MixBits(random_++); }

}  // namespace baton
