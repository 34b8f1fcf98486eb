// What the transfer side says of a decode worker's hand-offs.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "decode/decode_state.h"
#include "kvtransfer/fail_reason.h"

namespace baton {

Sequence* DecodeWorker::State::Find(const AttemptId& id) {
  const auto found = attempts_.find(id);
  return found == attempts_.end() ? nullptr : Find(found->second);
}

void DecodeWorker::State::OnTransfer(const InboundEvent& event, Instant now) {
  if (const auto* offer = std::get_if<OfferArrived>(&event)) return OnOffer(*offer, now);
  if (const auto* committed = std::get_if<InboundCommitted>(&event)) {
    return OnCommitted(*committed);
  }
  if (const auto* closed = std::get_if<LeaseClosed>(&event)) return OnLeaseClosed(*closed, now);
  if (const auto* failed = std::get_if<InboundFailed>(&event)) return OnFailed(*failed);
}

void DecodeWorker::State::OnOffer(const OfferArrived& offer, Instant now) {
  Sequence* sequence = Find(offer.id);
  if (sequence == nullptr || sequence->state != SequenceState::kExpected) return;
  sequence->state = SequenceState::kOffered;
  sequence->offered = now;
}

void DecodeWorker::State::OnCommitted(const InboundCommitted& committed) {
  Sequence* sequence = Find(committed.id);
  if (sequence == nullptr || sequence->state != SequenceState::kGranted) return;
  sequence->first_token = committed.first_token;
  sequence->committed = committed.at;
}

void DecodeWorker::State::OnLeaseClosed(const LeaseClosed& closed, Instant) {
  Sequence* sequence = Find(closed.id);
  if (sequence == nullptr || !sequence->inbound.has_value()) return;
  PageLease pages = *std::exchange(sequence->inbound, std::nullopt);
  budget_.Unlend(pages.size());
  if (closed.how != LeaseEnd::kCommitted) return;  // quiet: free again as `pages` ends
  sequence->held = closed.held;
  ++counts_.handoffs_committed;
  counts_.handoff_tokens += static_cast<std::uint64_t>(sequence->known());
  counts_.handoff_pages_saved += sequence->first_page;

  // The whole prompt stands in the pages from here on: findable, also if the job was cancelled.
  sequence->table.Append(std::move(pages));
  sequence->computed = sequence->computed_until = sequence->known();
  if (options_.prefix_caching) {
    sequence->table.Complete(sequence->job.tokens, sequence->computed, index_);
  }
  if (sequence->state != SequenceState::kGranted) return;
  BATON_CHECK(sequence->first_token.has_value());
  sequence->state = SequenceState::kRunning;
  admitted_.push_back(sequence->id);
  // The prefill worker told this token already. It is told again, so that nobody waits for it if
  // that worker died in between; but not where logprobs belong to it or to the prompt before it,
  // which we do not have.
  const TokenOutput first{.token = *sequence->first_token, .logprob = 0, .top = {}};
  const SamplingParams& sampling = sequence->job.sampling;
  NewToken(*sequence, first, sampling.logprobs < 0 && sampling.prompt_logprobs < 0);
}

void DecodeWorker::State::OnFailed(const InboundFailed& failed) {
  Sequence* sequence = Find(failed.id);
  if (sequence == nullptr) return;
  ++counts_.handoffs_failed;
  handoffs.push_back(
      {.id = failed.id, .committed = false, .reason = failed.reason, .held = {}, .admit = {}});
  // The prefill worker tells the router that the answer is whole. That comes on another stream,
  // maybe later: a failure from here would overtake it.
  if (failed.reason == HandoffReason::kFirstTokenEnds) return End(*sequence, failed.reason);
  Fail(*sequence, MakeFailure(FailReasonOf(failed.reason), Retryable(failed.reason),
                              absl::StrCat("hand-off: ", ToString(failed.reason))));
}

}  // namespace baton
