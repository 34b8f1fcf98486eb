// The decode end carries out what its machines decide.
#include <utility>

#include "base/check.h"
#include "kvtransfer/handoff_wire.h"
#include "kvtransfer/inbound_core.h"

namespace baton {
namespace {

/// Adjacent page numbers joined, in the prompt's order.
std::vector<PageRun> RunsOf(const std::vector<PageId>& pages) {
  std::vector<PageRun> runs;
  for (const PageId page : pages) {
    if (!runs.empty() && runs.back().page + runs.back().count == Index(page)) {
      ++runs.back().count;
      continue;
    }
    runs.push_back({0, Index(page), 1});
  }
  return runs;
}

}  // namespace

void InboundTransfers::Impl::Give(Inbound& handoff, const HandoffReceiver::Event& event,
                                  Instant now, const GrantInbound* lent) {
  for (const ReceiverAction action : handoff.receiver.On(event, now)) {
    Act(handoff, action, now, lent);
  }
}

void InboundTransfers::Impl::Act(Inbound& handoff, ReceiverAction action, Instant now,
                                 const GrantInbound* lent) {
  const AttemptId id = handoff.expect.id;
  switch (action) {
    case ReceiverAction::kNotifyOffer:
      events_.push_back(OfferArrived{id, handoff.offer.prompt_tokens,
                                     Milliseconds(handoff.offer.first_page_in_ms)});
      return;
    case ReceiverAction::kOpenLease:
      handoff.lease = leases_.Open(handoff.session, handoff.receiver.first_page());
      lease_owners_[handoff.lease] = id;
      handoff.lent_at = now;
      return;
    case ReceiverAction::kAppendLease:
      leases_.Append(handoff.lease, lent->pages);
      return;
    case ReceiverAction::kSendGrant:
      return SendGrant(handoff, *lent);
    case ReceiverAction::kEraseLease:
      handoff.landed = leases_.Erase(handoff.lease);
      lease_owners_.erase(handoff.lease);
      return;
    case ReceiverAction::kSendAbort:
      return SendAbort(handoff);
    case ReceiverAction::kAckCommit:
      committed_.Add(handoff.lease);
      return Say(handoff.session, CommitAckMessage{handoff.lease, true, {}});
    case ReceiverAction::kRefuseCommit:
      return Say(handoff.session,
                 CommitAckMessage{handoff.lease, false, handoff.receiver.reason()});
    case ReceiverAction::kNotifyCommitted:
      events_.push_back(InboundCommitted{handoff.lease, id, handoff.receiver.first_token(), now});
      return;
    case ReceiverAction::kNotifyFailed:
      events_.push_back(InboundFailed{id, handoff.receiver.reason()});
      return;
    case ReceiverAction::kNotifyLeaseClosed:
      return NotifyLeaseClosed(handoff, now);
    case ReceiverAction::kReturnPages:
      events_.push_back(LeaseClosed{LeaseId{}, id, LeaseEnd::kQuiet});
      return;
  }
}

/// One Grant for as many runs as a message holds.
void InboundTransfers::Impl::SendGrant(Inbound& handoff, const GrantInbound& lent) {
  const std::vector<PageRun> runs = RunsOf(lent.pages);
  const auto session = sessions_.find(handoff.session);
  BATON_CHECK(session != sessions_.end());
  std::size_t sent = 0;
  do {
    const std::size_t end = std::min(runs.size(), sent + kGrantRunsMax);
    GrantMessage grant;
    grant.handoff = handoff.receiver.handoff();
    grant.attempt = handoff.expect.id.attempt;
    grant.lease = handoff.lease;
    grant.number = handoff.grants++;
    grant.first_page = lent.first_page;
    grant.runs.assign(runs.begin() + static_cast<std::ptrdiff_t>(sent),
                      runs.begin() + static_cast<std::ptrdiff_t>(end));
    grant.final = lent.final && end == runs.size();
    grant.renew_seen = session->second.renew_seen;
    grant.ttl_ms = static_cast<std::uint32_t>(ToMilliseconds(limits_.lease_ttl));
    Say(handoff.session, grant);
    sent = end;
  } while (sent < runs.size());
}

void InboundTransfers::Impl::SendAbort(const Inbound& handoff) {
  AbortMessage abort;
  abort.handoff = handoff.receiver.handoff();
  abort.attempt = handoff.expect.id.attempt;
  abort.lease = handoff.lease;
  abort.reason = handoff.receiver.reason();
  abort.retry_after_ms = handoff.receiver.retry_after_ms();
  Say(handoff.session, abort);
}

void InboundTransfers::Impl::NotifyLeaseClosed(const Inbound& handoff, Instant now) {
  LeaseClosed closed;
  closed.lease = handoff.lease;
  closed.id = handoff.expect.id;
  closed.how = handoff.receiver.committed() ? LeaseEnd::kCommitted : LeaseEnd::kQuiet;
  closed.bytes = handoff.landed.bytes;
  closed.held = now - handoff.lent_at;
  if (closed.how == LeaseEnd::kQuiet) {
    ++stats_.fences[static_cast<std::size_t>(handoff.receiver.reason())];
  }
  events_.push_back(closed);
}

void InboundTransfers::Impl::Say(SessionId id, const HandoffMessage& message) {
  const auto session = sessions_.find(id);
  if (session == sessions_.end()) return;
  if (!session->second.pipe.Send(message).ok()) session->second.broken = true;
}

void InboundTransfers::Impl::SayAbort(SessionId session, const OfferMessage& offer,
                                      HandoffReason reason) {
  AbortMessage abort;
  abort.handoff = offer.handoff;
  abort.attempt = offer.id.attempt;
  abort.reason = reason;
  Say(session, abort);
}

}  // namespace baton
