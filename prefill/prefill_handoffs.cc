// What the transfer side says of a prefill worker's hand-offs.
#include <chrono>
#include <string>
#include <utility>

#include "kvtransfer/fail_reason.h"
#include "prefill/prefill_state.h"
#include "proto/convert.h"

namespace baton {
namespace {

std::uint64_t Microseconds(Duration duration) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  return count < 0 ? 0 : static_cast<std::uint64_t>(count);
}

link::HandoffReport ReportOf(const Prompt& prompt, const OutboundEnded& ended) {
  link::HandoffReport report;
  ToProto(prompt.job.request, report.mutable_request());
  report.set_attempt(prompt.job.attempt);
  report.set_outcome(OutcomeOf(ended.reason));
  report.set_queue_us(Microseconds(prompt.first_launch - prompt.accepted));
  report.set_prefill_us(Microseconds(prompt.last_collect - prompt.first_launch));
  report.set_offer_us(Microseconds(ended.times.offer));
  report.set_exposed_us(Microseconds(ended.times.exposed));
  report.set_commit_us(Microseconds(ended.times.commit));
  report.set_bytes(ended.bytes);
  report.set_pages_sent(ended.pages_sent);
  report.set_pages_saved(ended.pages_saved);
  report.set_wire(ended.wire);
  report.set_computed_tokens(static_cast<std::uint32_t>(prompt.computed - prompt.cached));
  report.set_cached_tokens(static_cast<std::uint32_t>(prompt.cached));
  return report;
}

}  // namespace

void PrefillWorker::State::OnTransfer(const OutboundEvent& event, Instant) {
  if (const auto* ended = std::get_if<OutboundEnded>(&event)) return OnEnded(*ended);
  if (const auto* settled = std::get_if<OutboundSettled>(&event)) {
    Prompt* prompt = Find(SequenceId{Index(settled->handoff)});
    if (prompt != nullptr) prompt->lent = false;  // Tick() drops its pages once it is over
  }
}

void PrefillWorker::State::OnEnded(const OutboundEnded& ended) {
  Prompt* prompt = Find(SequenceId{Index(ended.handoff)});
  if (prompt == nullptr) return;
  const bool committed = ended.reason == HandoffReason::kCommitted;
  ++(committed ? counts_.handoffs_committed : counts_.handoffs_failed);
  handoffs.push_back({.id = ended.id,
                      .reason = ended.reason,
                      .message = ended.message,
                      .times = ended.times,
                      .bytes = ended.bytes,
                      .pages_sent = ended.pages_sent,
                      .pages_saved = ended.pages_saved,
                      .prompt_tokens = static_cast<std::uint32_t>(prompt->length())});
  if (prompt->state == PromptState::kOver) return;  // the router has its end of this attempt

  link::WorkerMessage message;
  *message.mutable_handoff() = ReportOf(*prompt, ended);
  outbox.Send(prompt->link, std::move(message));
  if (committed) return End(*prompt, HandoffReason::kCommitted);
  const std::string why =
      ended.message.empty() ? std::string("hand-off: ") + ToString(ended.reason) : ended.message;
  Fail(*prompt, FailReasonOf(ended.reason), Retryable(ended.reason), why);
}

}  // namespace baton
