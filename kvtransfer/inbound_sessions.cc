// The lives of the decode end's sessions: a Hello is judged field by field before anything is
// opened for it, and a session that ends takes its leases with it.
#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/digest.h"
#include "kvtransfer/handoff_wire.h"
#include "kvtransfer/inbound_core.h"

namespace baton {
namespace {

constexpr std::size_t kHeldHellosMax = 16;
constexpr std::size_t kRefusedPeersMax = 16;
// Well below the smallest window, which must never wait for a Credit that nothing will cause.
constexpr std::uint64_t kCreditsAWindow = 4;
constexpr char kNoSuchField[] = "no such field";
constexpr Duration kAnswersLeave = Milliseconds(1000);  // Close drops what has not left

/// The first field in which two fingerprints differ.
HelloRefusal DifferenceOf(const FingerprintFields& mine, const FingerprintFields& yours) {
  const std::size_t common = std::min(mine.size(), yours.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (mine[i] == yours[i]) continue;
    const bool same_name = mine[i].first == yours[i].first;
    return {HandoffReason::kRefused, mine[i].first, mine[i].second,
            same_name ? yours[i].second : kNoSuchField};
  }
  if (mine.size() == yours.size()) return {};
  const auto& extra = mine.size() > common ? mine[common] : yours[common];
  const bool is_mine = mine.size() > common;
  return {HandoffReason::kRefused, extra.first, is_mine ? extra.second : kNoSuchField,
          is_mine ? kNoSuchField : extra.second};
}

}  // namespace

void InboundTransfers::Impl::Arrived(const HelloMessage& hello, Instant now) {
  if (nonces_.Has(hello.nonce)) return;  // a repetition must not end the session it opened
  // A stranger hears nothing, not even a refusal: an answer would have to open the address he gave.
  if (!announced_.Has({hello.introduction, hello.incarnation})) {
    if (held_hellos_.size() < kHeldHellosMax)
      held_hellos_.push_back({hello, now + limits_.hold_early});
    return;
  }
  const HelloRefusal refusal = Judge(hello);
  if (refusal.reason != HandoffReason::kCommitted) return Refuse(hello, refusal, now);
  Accept(hello, now);
}

HelloRefusal InboundTransfers::Impl::Judge(const HelloMessage& hello) const {
  if (hello.expected_incarnation != self_.incarnation) {
    return {HandoffReason::kPeerLost, "incarnation",
            absl::StrFormat("%x", Index(self_.incarnation)),
            absl::StrFormat("%x expected", Index(hello.expected_incarnation))};
  }
  HelloRefusal difference = DifferenceOf(self_.fields, hello.fields);
  if (difference.reason != HandoffReason::kCommitted) return difference;
  if (hello.fingerprint != fingerprint_) {
    return {HandoffReason::kRefused, "fingerprint", ToHex(fingerprint_), ToHex(hello.fingerprint)};
  }
  if (hello.frame_bytes_max < kFrameBytesOneSegment) {
    return {HandoffReason::kRefused, "frame_bytes_max",
            absl::StrFormat("%d", kFrameBytesOneSegment),
            absl::StrFormat("%d", hello.frame_bytes_max)};
  }
  if (draining_) return {HandoffReason::kDraining, "draining", "true", "false"};
  return {};
}

void InboundTransfers::Impl::Accept(const HelloMessage& hello, Instant now) {
  // One session a worker: leases survive neither a reconnect nor another life of the peer.
  std::vector<SessionId> old;
  for (const auto& [id, session] : sessions_) {
    if (session.worker_id == hello.worker_id) old.push_back(id);
  }
  for (const SessionId id : old) Lose(id, SessionEnd::kReplaced, now);
  if (sessions_.size() >= limits_.sessions_max && !MakeRoomForSession(now)) {
    return Refuse(hello, {HandoffReason::kNoRoom, "sessions", "all in use", "one more"}, now);
  }
  const absl::StatusOr<PeerId> peer = transport_.Connect(hello.transfer_address);
  if (!peer.ok()) {
    ++stats_.bad_messages;  // nowhere to answer to
    return;
  }
  const SessionId id = DrawSession();
  nonces_.Add(hello.nonce);
  const std::size_t frame_bytes = transport_.Describe(*peer).frame_bytes_best;
  const PiecePlan plan =
      PiecePlan::Of(arena_.layout(), std::min<std::size_t>(frame_bytes, hello.frame_bytes_max));
  leases_.OpenSession(id, plan);
  InboundSession session{hello.worker_id, hello.incarnation, SessionPipe(transport_, *peer)};
  session.pipe.Open(id, /*arrived=*/0);
  sessions_.emplace(id, std::move(session));
  HelloAckMessage ack;
  ack.nonce = hello.nonce;
  ack.incarnation = self_.incarnation;
  ack.arenas = {{0, plan.page_bytes, arena_.num_pages(), plan.piece_bytes}};
  ack.window_bytes = limits_.window_bytes_max;
  ack.ttl_ms = static_cast<std::uint32_t>(ToMilliseconds(limits_.lease_ttl));
  ack.renew_ms = static_cast<std::uint32_t>(ToMilliseconds(limits_.renew_every));
  Say(id, ack);
}

void InboundTransfers::Impl::Refuse(const HelloMessage& hello, const HelloRefusal& refusal,
                                    Instant now) {
  // A label must not be a peer's word: where only it has the field, it named it.
  stats_.hello_refused.Count(refusal.mine == kNoSuchField ? "other" : refusal.field);
  if (refused_peers_.size() >= kRefusedPeersMax) return;  // it will hear nothing, and try later
  const absl::StatusOr<PeerId> peer = transport_.Connect(hello.transfer_address);
  if (!peer.ok()) return;
  RefusedPeer refused{SessionPipe(transport_, *peer), now + kAnswersLeave};
  HelloAckMessage ack;
  ack.nonce = hello.nonce;
  ack.incarnation = self_.incarnation;
  ack.refused = true;
  ack.refusal = refusal;
  if (!refused.pipe.Send(ack).ok()) refused.close_at = now;
  refused_peers_.push_back(std::move(refused));
}

bool InboundTransfers::Impl::MakeRoomForSession(Instant now) {
  CountLive();
  for (const auto& [id, session] : sessions_) {
    if (session.live > 0) continue;
    Lose(SessionId{id}, SessionEnd::kEvicted, now);
    return true;
  }
  return false;
}

/// Not to be guessed by whoever has not been told.
SessionId InboundTransfers::Impl::DrawSession() {
  for (;;) {
    Sha256 hash;
    hash.AddU64(secret_);
    hash.AddU64(Index(self_.incarnation));
    hash.AddU64(++sessions_drawn_);
    const Sha256Digest digest = hash.Finish();
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof(number); ++i) number = number << 8 | digest[i];
    const SessionId id{number};
    if (number != 0 && sessions_.count(id) == 0) return id;
  }
}

void InboundTransfers::Impl::Lose(SessionId id, SessionEnd end, Instant now) {
  for (auto& [attempt, handoff] : handoffs_) {
    if (handoff.session == id) Give(handoff, HandoffReceiver::SessionLost{}, now);
  }
  std::erase_if(held_offers_, [&](const HeldOffer& held) { return held.session == id; });
  leases_.CloseSession(id);
  const auto session = sessions_.find(id);
  transport_.Close(session->second.pipe.peer());
  sessions_.erase(session);
  stats_.sessions_ended.Count(end);
}

void InboundTransfers::Impl::CountLive() {
  for (auto& [id, session] : sessions_) session.live = 0;
  for (const auto& [attempt, handoff] : handoffs_) {
    const auto session = sessions_.find(handoff.session);
    if (session != sessions_.end() && !handoff.receiver.over()) ++session->second.live;
  }
}

void InboundTransfers::Impl::TickSessions(Instant now) {
  CountLive();
  std::vector<std::pair<SessionId, SessionEnd>> ended;
  for (auto& [id, session] : sessions_) {
    const std::uint64_t consumed = leases_.BytesOffered(id);
    const std::uint64_t owed = consumed - session.credited_bytes;
    if (owed > 0 && owed >= limits_.window_bytes_min / kCreditsAWindow) {
      session.credited_bytes = consumed;
      Say(id, CreditMessage{consumed});
    }
    const bool idle = session.peer_drains && session.live == 0;
    if (!idle) session.farewell_at = kNever;
    if (idle && session.farewell_at == kNever) session.farewell_at = now + kAnswersLeave;
    if (session.broken || !session.pipe.Flush().ok()) {
      ended.emplace_back(id, SessionEnd::kLost);
    } else if (now >= session.farewell_at) {
      ended.emplace_back(id, SessionEnd::kDrained);
    }
  }
  for (const auto& [id, end] : ended) Lose(id, end, now);
  std::erase_if(refused_peers_, [&](RefusedPeer& refused) {
    const bool leaves = now >= refused.close_at || !refused.pipe.Flush().ok();
    if (leaves) transport_.Close(refused.pipe.peer());
    return leaves;
  });
}

}  // namespace baton
