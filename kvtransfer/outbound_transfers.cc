#include "kvtransfer/outbound_transfers.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "kvtransfer/outbound_core.h"

namespace baton {
namespace {

// A round after which the transport may have room again.
constexpr Duration kPollAgain = std::chrono::microseconds(200);

}  // namespace

OutboundTransfers::Impl::Impl(LocalWorker self, const KvArena& arena, Transport& transport,
                              std::uint64_t seed, TransferLimits limits)
    : self_(std::move(self)),
      fingerprint_(FingerprintOf(self_.fields)),
      arena_(arena),
      transport_(transport),
      limits_(limits),
      random_(seed),
      steps_(arena.layout().num_layers) {}

OutboundTransfers::Impl::~Impl() {
  for (auto& [key, session] : sessions_) {
    if (session.has_pipe()) transport_.Close(session.pipe().peer());
  }
}

// --- commands

void OutboundTransfers::Impl::On(const OutboundCommand& command, Instant now) {
  std::visit([&](const auto& value) { Handle(value, now); }, command);
}

void OutboundTransfers::Impl::Handle(const StartOutbound& command, Instant now) {
  HandoffSender::Plan plan;
  plan.handoff = command.handoff;
  plan.attempt = command.id.attempt;
  plan.num_pages = static_cast<std::uint32_t>(command.pages.size());
  plan.prompt_tokens = command.prompt_tokens;
  plan.ready_pages = limits_.overlap ? command.ready_pages : 0;
  const auto [place, is_new] =
      handoffs_.try_emplace(command.handoff, Outbound{command, HandoffSender(plan, limits_, now)});
  BATON_CHECK(is_new);
  Outbound& handoff = place->second;
  handoff.session = SessionFor(command.peer);
  const auto session = sessions_.find(handoff.session);
  if (session == sessions_.end() || handoffs_.size() > limits_.handoffs_max) {
    return Give(handoff, HandoffSender::Cancelled{HandoffReason::kNoRoom}, now);
  }
  if (draining_ || session->second.peer_drains()) {
    return Give(handoff, HandoffSender::Cancelled{HandoffReason::kDraining}, now);
  }
  if (session->second.open()) {
    Give(handoff, HandoffSender::SessionOpened{session->second.plan()}, now);
  }
}

void OutboundTransfers::Impl::Handle(const OutboundFirstToken& command, Instant now) {
  const auto found = handoffs_.find(command.handoff);
  if (found == handoffs_.end()) return;
  found->second.computed_at = now;
  Give(found->second, HandoffSender::FirstToken{command.token, command.ends}, now);
}

void OutboundTransfers::Impl::Handle(const CancelOutbound& command, Instant now) {
  const auto found = handoffs_.find(command.handoff);
  if (found == handoffs_.end()) return;
  Give(found->second, HandoffSender::Cancelled{command.reason}, now);
}

void OutboundTransfers::Impl::Handle(const OutboundVerdict& command, Instant now) {
  for (const HandoffId id : command.ids) {
    const auto found = handoffs_.find(id);
    if (found == handoffs_.end()) continue;
    if (found->second.start.peer.incarnation != command.incarnation) continue;
    Give(found->second, HandoffSender::Cancelled{HandoffReason::kVerdict}, now);
  }
}

void OutboundTransfers::Impl::Handle(const DrainOutbound&, Instant) {
  if (std::exchange(draining_, true)) return;
  for (auto& [key, session] : sessions_) {
    if (session.open()) Say(key, ByeMessage{HandoffReason::kDraining});
  }
}

// --- a machine's event, and its actions carried out

void OutboundTransfers::Impl::Give(Outbound& handoff, const HandoffSender::Event& event,
                                   Instant now) {
  for (const SenderAction action : handoff.sender.On(event, now)) Act(handoff, action, now);
}

void OutboundTransfers::Impl::Act(Outbound& handoff, SenderAction action, Instant now) {
  switch (action) {
    case SenderAction::kSendOffer:
      return SendOffer(handoff, now);
    case SenderAction::kSendCommit:
      handoff.commit_at = now;
      return Say(handoff.session, handoff.sender.commit());
    case SenderAction::kSendAbort:
      return SendAbort(handoff);
    case SenderAction::kSendAbortAck:
      return Say(handoff.session, AbortAckMessage{handoff.sender.lease()});
    case SenderAction::kNotifyGranted:
      handoff.granted_at = now;
      events_.push_back(OutboundGranted{handoff.start.handoff, handoff.sender.first_page()});
      return;
    case SenderAction::kNotifyEnded:
      return NotifyEnded(handoff, now);
    case SenderAction::kNotifySettled:
      events_.push_back(OutboundSettled{handoff.start.handoff});
      return;
  }
}

void OutboundTransfers::Impl::SendOffer(Outbound& handoff, Instant now) {
  OutboundSession& session = sessions_.at(handoff.session);
  OfferMessage offer;
  offer.handoff = handoff.start.handoff;
  offer.id = handoff.start.id;
  offer.prompt_tokens = handoff.start.prompt_tokens;
  offer.prompt_key = handoff.start.prompt_key;
  const auto wait =
      std::chrono::duration_cast<std::chrono::milliseconds>(handoff.start.first_page_in);
  offer.first_page_in_ms =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(wait.count(), 0, 3'600'000));
  offer.renew = session.Numbered(now);
  handoff.offered_at = now;
  Say(handoff.session, offer);
}

void OutboundTransfers::Impl::SendAbort(const Outbound& handoff) {
  AbortMessage abort;
  abort.handoff = handoff.start.handoff;
  abort.attempt = handoff.start.id.attempt;
  abort.lease = handoff.sender.lease();
  abort.reason = handoff.sender.reason();
  abort.drained = handoff.sender.drained();
  Say(handoff.session, abort);
}

void OutboundTransfers::Impl::NotifyEnded(Outbound& handoff, Instant now) {
  OutboundEnded ended;
  ended.handoff = handoff.start.handoff;
  ended.id = handoff.start.id;
  ended.reason = handoff.sender.reason();
  ended.message = handoff.message.empty() ? ToString(ended.reason) : handoff.message;
  ended.retry_after_ms = handoff.retry_after_ms;
  const auto span = [](Instant from, Instant to) {
    return from == Instant{} || to == Instant{} ? Duration{} : Duration(to - from);
  };
  ended.times.offer = span(handoff.offered_at, handoff.granted_at);
  ended.times.first_write = span(handoff.granted_at, handoff.first_write_at);
  ended.times.wire = span(handoff.first_write_at, handoff.last_write_at);
  if (ended.reason == HandoffReason::kCommitted) {
    ended.times.exposed = span(handoff.computed_at, now);
    ended.times.commit = span(handoff.commit_at, now);
  }
  ended.bytes = handoff.sender.bytes_posted();
  ended.pages_sent = handoff.sender.pages_sent();
  ended.pages_saved = handoff.sender.first_page();
  ended.wire = handoff.wire;
  const auto session = sessions_.find(handoff.session);
  if (session != sessions_.end() && session->second.open()) {
    ended.wire = transport_.Describe(session->second.pipe().peer()).wire;
  }
  events_.push_back(std::move(ended));
}

void OutboundTransfers::Impl::Say(SessionKey key, const HandoffMessage& message) {
  const auto found = sessions_.find(key);
  if (found == sessions_.end() || !found->second.has_pipe()) return;
  // A pipe that fails is found by the next Tick, which loses the session with all its hand-offs.
  if (!found->second.pipe().Send(message).ok()) found->second.set_broken();
}

// --- rounds

Instant OutboundTransfers::Impl::Tick(Instant now) {
  Poll(now);
  CountLive();
  for (auto& [key, session] : sessions_) TickSession(key, session, now);
  for (auto& [id, handoff] : handoffs_) Give(handoff, HandoffSender::Timer{}, now);
  PostPages(now);
  std::erase_if(handoffs_, [](const auto& entry) { return entry.second.sender.settled(); });

  Instant due = post_again_ ? now + kPollAgain : kNever;
  for (const auto& [id, handoff] : handoffs_) due = std::min(due, handoff.sender.due());
  for (auto& [key, session] : sessions_) due = std::min(due, DueOf(session, now));
  return std::max(due, now);
}

std::vector<OutboundEvent> OutboundTransfers::Impl::TakeEvents() {
  return std::exchange(events_, {});
}

OutboundStats OutboundTransfers::Impl::stats() const {
  OutboundStats stats = stats_;
  stats.writes_open = open_writes_.size();
  stats.handoffs_live = handoffs_.size();
  for (const auto& [key, session] : sessions_) {
    if (!session.open()) continue;
    ++stats.sessions_open;
    stats.window_bytes += session.window_bytes();
  }
  return stats;
}

// --- the facade

OutboundTransfers::OutboundTransfers(LocalWorker self, const KvArena& arena, Transport& transport,
                                     std::uint64_t seed, TransferLimits limits)
    : impl_(std::make_unique<Impl>(std::move(self), arena, transport, seed, limits)) {}
OutboundTransfers::~OutboundTransfers() = default;
void OutboundTransfers::On(const OutboundCommand& command, Instant now) { impl_->On(command, now); }
Instant OutboundTransfers::Tick(Instant now) { return impl_->Tick(now); }
std::vector<OutboundEvent> OutboundTransfers::TakeEvents() { return impl_->TakeEvents(); }
bool OutboundTransfers::settled() const { return impl_->settled(); }
OutboundStats OutboundTransfers::stats() const { return impl_->stats(); }

}  // namespace baton
