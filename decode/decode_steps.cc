// The running batch: steps out, tokens in.
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "decode/decode_state.h"
#include "proto/prompt_logprobs.h"

namespace baton {

void DecodeWorker::State::Collect(Instant now) {
  while (status.ok()) {
    absl::StatusOr<std::optional<CollectedStep>> collected = runner_.TryCollect(now);
    if (!collected.ok()) return Stop(collected.status());
    if (!collected->has_value()) return;
    Finish(**collected);
  }
}

void DecodeWorker::State::Finish(const CollectedStep& collected) {
  ++counts_.steps;
  DecodeStep told{.time = collected.time, .decode_sequences = 0, .prompt_tokens = 0};
  for (const StepEntry& entry : collected.step.entries) {
    Sequence* sequence = Find(entry.sequence);
    BATON_CHECK(sequence != nullptr && sequence->in_flight());
    sequence->computed = sequence->computed_until;
    const bool of_prompt = entry.first_position < sequence->prompt_end;
    if (of_prompt) told.prompt_tokens += static_cast<int>(entry.tokens.size());
    if (!of_prompt) ++told.decode_sequences;
    // Also after a cancel: the rows are there, and a retry may want them.
    if (options_.prefix_caching) {
      sequence->table.Complete(sequence->job.tokens, sequence->computed, index_);
    }
  }
  counts_.computed_tokens += static_cast<std::uint64_t>(told.prompt_tokens);
  steps.push_back(told);
  for (const PromptLogprobRun& run : collected.result.prompts) {  // tokens are told after the round
    Sequence* sequence = Find(run.sequence);
    BATON_CHECK(sequence != nullptr);
    if (sequence->state != SequenceState::kRunning) continue;
    SendPromptLogprobs(sequence->job, run.first_position, run.tokens, sequence->link, outbox);
  }
  for (const SampledToken& sampled : collected.result.sampled) {
    Sequence* sequence = Find(sampled.sequence);
    BATON_CHECK(sequence != nullptr);
    if (sequence->state != SequenceState::kRunning) continue;
    ++counts_.generated_tokens;
    NewToken(*sequence, sampled.output, true);
  }
}

void DecodeWorker::State::NewToken(Sequence& sequence, const TokenOutput& output, bool told) {
  const FinishReason finish = sequence.job.stop.After(sequence.job.generated() + 1, output.token);
  if (told) SayToken(sequence, output, finish);
  sequence.job.tokens.push_back(output.token);
  if (finish != FinishReason::kNone) End(sequence, HandoffReason::kCommitted);
}

void DecodeWorker::State::LaunchStep(Instant now) {
  if (!status.ok() || !runner_.idle()) return;
  GrowAll();
  std::vector<DecodeCandidate> candidates;
  candidates.reserve(admitted_.size());
  for (const SequenceId id : admitted_) {
    const Sequence& sequence = *Find(id);
    candidates.push_back({id, sequence.computed, sequence.known()});
  }
  const std::vector<DecodeRun> runs =
      PlanDecodeStep(candidates, {.step_tokens_max = options_.step_tokens_max,
                                  .page_tokens = arena_.layout().tokens_per_page});
  if (runs.empty()) return;
  if (const absl::Status launched = runner_.Launch(StepOf(runs, now), now); !launched.ok()) {
    Stop(launched);
  }
}

// Pages for every token of the step. Where promises were too small, the sequence admitted last goes
// back, so that those before it finish.
void DecodeWorker::State::GrowAll() {
  for (std::size_t i = 0; i < admitted_.size(); ++i) {
    while (i < admitted_.size() && !Grow(*Find(admitted_[i]))) GiveBack(LastOutgrown());
  }
}

// The last admitted of those that have used up what they were promised.
Sequence& DecodeWorker::State::LastOutgrown() {
  for (std::size_t i = admitted_.size(); i-- > 0;) {
    Sequence& sequence = *Find(admitted_[i]);
    if (sequence.promised == 0) return sequence;
  }
  BATON_CHECK(false && "a sequence within its promise did not find its page");
}

// The router runs it on, with the tokens so far, where there is room; its pages serve as cache
// meanwhile. No step is in flight here, so they are free at once.
void DecodeWorker::State::GiveBack(Sequence& sequence) {
  ++counts_.given_back;
  Fail(sequence,
       MakeFailure(link::FAIL_NO_ROOM, true, "the decode worker ran out of pages for this answer"));
  Reap();
}

Step DecodeWorker::State::StepOf(const std::vector<DecodeRun>& runs, Instant now) {
  Step step{.number = runner_.next_number(), .entries = {}};
  step.entries.reserve(runs.size());
  for (const DecodeRun& run : runs) {
    Sequence& sequence = *Find(run.sequence);
    sequence.computed_until = run.end;
    NoteHandoff(sequence, now - sequence.committed);
    const auto tokens = sequence.job.tokens.begin();
    step.entries.push_back(
        {.sequence = run.sequence,
         .first_position = run.first,
         .tokens = {tokens + run.first, tokens + run.end},
         .pages = {sequence.table.pages().begin(), sequence.table.pages().end()},
         .samples = run.samples,
         .sampling = sequence.job.sampling,
         .context = run.samples ? ContextOf(sequence.job.sampling, sequence.job.stop,
                                            sequence.job.tokens, sequence.job.prompt_tokens)
                                : SampleContext(),
         .followers = FollowersOf(sequence.job.sampling, sequence.job.tokens,
                                  sequence.job.prompt_tokens, run.first, run.end)});
  }
  return step;
}

void DecodeWorker::State::Stop(absl::Status error) {
  status = std::move(error);
  for (auto& [id, sequence] : sequences_) {
    sequence.computed_until = sequence.computed;  // nothing will be collected any more
    Fail(sequence,
         MakeFailure(link::FAIL_INTERNAL, true, "the device of the decode worker is lost"));
  }
}

}  // namespace baton
