#include "kvtransfer/inbound_transfers.h"

#include <algorithm>
#include <utility>

#include "kvtransfer/inbound_core.h"

namespace baton {

InboundTransfers::Impl::Impl(LocalWorker self, const KvArena& arena, Transport& transport,
                             std::uint64_t secret, TransferLimits limits)
    : self_(std::move(self)),
      fingerprint_(FingerprintOf(self_.fields)),
      arena_(arena),
      transport_(transport),
      secret_(secret),
      limits_(limits),
      leases_(arena) {
  transport_.SetSink(&leases_);
}

InboundTransfers::Impl::~Impl() {
  transport_.SetSink(nullptr);
  for (auto& [id, session] : sessions_) transport_.Close(session.pipe.peer());
  for (RefusedPeer& refused : refused_peers_) transport_.Close(refused.pipe.peer());
}

// --- commands

void InboundTransfers::Impl::On(const InboundCommand& command, Instant now) {
  std::visit([&](const auto& value) { Handle(value, now); }, command);
}

void InboundTransfers::Impl::Handle(const ExpectInbound& command, Instant now) {
  announced_.Add({command.introduction, command.prefill});
  if (handoffs_.count(command.id) > 0 || ended_.Has(command.id)) return;  // told twice
  if (Superseded(command, now)) {
    events_.push_back(InboundFailed{command.id, HandoffReason::kStale});
    return;
  }
  if (handoffs_.size() >= limits_.handoffs_max) {
    events_.push_back(InboundFailed{command.id, HandoffReason::kNoRoom});
    return;
  }
  HandoffReceiver::Plan plan;
  plan.id = command.id;
  plan.prompt_tokens = command.prompt_tokens;
  plan.num_pages =
      static_cast<std::uint32_t>(arena_.layout().PagesFor(static_cast<int>(command.prompt_tokens)));
  plan.prompt_key = command.prompt_key;
  handoffs_.try_emplace(command.id, Inbound{command, HandoffReceiver(plan, limits_)});
  OpenHeld(now);
}

/// A newer attempt of a request ends the older ones. True when `command` is itself the older.
bool InboundTransfers::Impl::Superseded(const ExpectInbound& command, Instant now) {
  const auto begin = handoffs_.lower_bound({command.id.request, 0});
  for (auto place = begin; place != handoffs_.end(); ++place) {
    if (place->first.request != command.id.request) break;
    if (place->first.attempt > command.id.attempt) return true;
    Give(place->second, HandoffReceiver::Dropped{HandoffReason::kStale}, now);
  }
  return false;
}

/// What ran ahead of the router's word may be answered now.
void InboundTransfers::Impl::OpenHeld(Instant now) {
  for (HeldHello& held : std::exchange(held_hellos_, {})) Arrived(held.hello, now);
  for (HeldOffer& held : std::exchange(held_offers_, {})) {
    const Instant until = held.until;
    Arrived(held.session, held.offer, now);
    if (held_offers_.empty()) continue;
    HeldOffer& last = held_offers_.back();
    if (last.session == held.session && last.offer.handoff == held.offer.handoff) {
      last.until = until;  // held again: its time goes on
    }
  }
}

void InboundTransfers::Impl::Handle(const RefuseInbound& command, Instant now) {
  const auto found = handoffs_.find(command.id);
  if (found == handoffs_.end()) return;
  Give(found->second, HandoffReceiver::Refused{command.reason, command.retry_after_ms}, now);
}

void InboundTransfers::Impl::Handle(const GrantInbound& command, Instant now) {
  const auto found = handoffs_.find(command.id);
  if (found == handoffs_.end()) {
    events_.push_back(LeaseClosed{LeaseId{}, command.id, LeaseEnd::kQuiet});
    return;
  }
  const HandoffReceiver::Lent lent{command.first_page,
                                   static_cast<std::uint32_t>(command.pages.size()), command.final};
  Give(found->second, lent, now, &command);
}

void InboundTransfers::Impl::Handle(const CloseInbound& command, Instant now) {
  const auto found = handoffs_.find(command.id);
  if (found == handoffs_.end()) return;
  Give(found->second, HandoffReceiver::Dropped{command.reason}, now);
}

void InboundTransfers::Impl::Handle(const InboundVerdict& command, Instant now) {
  for (const AttemptId& id : command.ids) {
    const auto found = handoffs_.find(id);
    if (found == handoffs_.end() || found->second.expect.prefill != command.incarnation) continue;
    Give(found->second, HandoffReceiver::Dropped{HandoffReason::kVerdict}, now);
  }
}

void InboundTransfers::Impl::Handle(const DrainInbound&, Instant) {
  if (std::exchange(draining_, true)) return;
  for (const auto& [id, session] : sessions_) Say(id, ByeMessage{HandoffReason::kDraining});
}

// --- rounds

Instant InboundTransfers::Impl::Tick(Instant now) {
  Poll(now);
  for (auto& [id, handoff] : handoffs_) Give(handoff, HandoffReceiver::Timer{}, now);
  EraseOver();
  TickHeld(now);
  TickSessions(now);
  return std::max(Due(now), now);
}

void InboundTransfers::Impl::EraseOver() {
  std::erase_if(handoffs_, [this](const auto& entry) {
    if (!entry.second.receiver.over()) return false;
    ended_.Add(entry.first);
    return true;
  });
}

/// Offers and Hellos that no router announced in time.
void InboundTransfers::Impl::TickHeld(Instant now) {
  std::erase_if(held_offers_, [&](const HeldOffer& held) {
    if (now < held.until) return false;
    SayAbort(held.session, held.offer, HandoffReason::kUnknownRequest);
    return true;
  });
  std::erase_if(held_hellos_, [&](const HeldHello& held) {
    if (now < held.until) return false;
    stats_.hello_refused.Count("introduction");
    return true;
  });
}

Instant InboundTransfers::Impl::Due(Instant now) const {
  Instant due = kNever;
  for (const auto& [id, handoff] : handoffs_) due = std::min(due, handoff.receiver.due());
  for (const HeldOffer& held : held_offers_) due = std::min(due, held.until);
  for (const HeldHello& held : held_hellos_) due = std::min(due, held.until);
  for (const RefusedPeer& refused : refused_peers_) due = std::min(due, refused.close_at);
  for (const auto& [id, session] : sessions_) {
    due = std::min(due, session.farewell_at);
    if (session.broken || session.pipe.waits()) due = std::min(due, now + Milliseconds(1));
  }
  return due;
}

std::vector<InboundEvent> InboundTransfers::Impl::TakeEvents() {
  return std::exchange(events_, {});
}

InboundStats InboundTransfers::Impl::stats() const {
  InboundStats stats = stats_;
  const LeaseTableStats& frames = leases_.stats();
  stats.bytes_landed = frames.bytes_landed;
  stats.stale_frames_refused = frames.stale_refused;
  stats.wild_frames_refused = frames.wild_refused;
  stats.duplicate_frames = frames.duplicates;
  stats.crc_errors = frames.crc_errors;
  stats.leases_open = leases_.size();
  stats.handoffs_live = handoffs_.size();
  stats.sessions_open = sessions_.size();
  return stats;
}

// --- the facade

InboundTransfers::InboundTransfers(LocalWorker self, const KvArena& arena, Transport& transport,
                                   std::uint64_t secret, TransferLimits limits)
    : impl_(std::make_unique<Impl>(std::move(self), arena, transport, secret, limits)) {}
InboundTransfers::~InboundTransfers() = default;
void InboundTransfers::On(const InboundCommand& command, Instant now) { impl_->On(command, now); }
Instant InboundTransfers::Tick(Instant now) { return impl_->Tick(now); }
std::vector<InboundEvent> InboundTransfers::TakeEvents() { return impl_->TakeEvents(); }
bool InboundTransfers::settled() const { return impl_->settled(); }
InboundStats InboundTransfers::stats() const { return impl_->stats(); }

}  // namespace baton
