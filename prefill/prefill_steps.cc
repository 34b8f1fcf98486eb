// From waiting prompts to steps, and from results to first tokens.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "prefill/prefill_state.h"
#include "proto/convert.h"
#include "proto/prompt_logprobs.h"

namespace baton {

void PrefillWorker::State::Collect(Instant now) {
  while (status.ok()) {
    absl::StatusOr<std::optional<CollectedStep>> collected = runner_.TryCollect(now);
    if (!collected.ok()) return Stop(collected.status());
    if (!collected->has_value()) return;
    Finish(**collected, now);
  }
}

void PrefillWorker::State::Finish(const CollectedStep& collected, Instant now) {
  ++counts_.steps;
  steps.push_back({.time = collected.time,
                   .tokens = collected.step.num_tokens(),
                   .sequences = static_cast<int>(collected.step.entries.size())});
  for (const StepEntry& entry : collected.step.entries) {
    Prompt* prompt = Find(entry.sequence);
    BATON_CHECK(prompt != nullptr && prompt->chunks_in_flight > 0);
    --prompt->chunks_in_flight;
    prompt->computed = entry.first_position + static_cast<int>(entry.tokens.size());
    prompt->last_collect = now;
    counts_.computed_tokens += entry.tokens.size();
    // Also after a cancel: the rows are there, and a retry may want them.
    if (options_.prefix_caching) {
      prompt->table.Complete(prompt->job.tokens, prompt->computed, index_);
    }
  }
  for (const PromptLogprobRun& run : collected.result.prompts) {  // before any token of their jobs
    Prompt* prompt = Find(run.sequence);
    BATON_CHECK(prompt != nullptr);
    if (prompt->state != PromptState::kBegun) continue;
    SendPromptLogprobs(prompt->job, run.first_position, run.tokens, prompt->link, outbox);
  }
  std::map<LinkId, link::StepTokens> tokens;
  for (const SampledToken& sampled : collected.result.sampled) {
    Prompt* prompt = Find(sampled.sequence);
    BATON_CHECK(prompt != nullptr);
    if (prompt->state == PromptState::kBegun) FirstToken(*prompt, sampled.output, tokens);
  }
  for (auto& [link, message] : tokens) {
    link::WorkerMessage out;
    *out.mutable_tokens() = std::move(message);
    outbox.Send(link, std::move(out));
  }
}

void PrefillWorker::State::FirstToken(Prompt& prompt, const TokenOutput& output,
                                      std::map<LinkId, link::StepTokens>& tokens) {
  ++counts_.generated_tokens;
  const int index = prompt.job.generated();
  const FinishReason finish = prompt.job.stop.After(index + 1, output.token);
  link::SequenceTokens& said = *tokens[prompt.link].add_sequences();
  ToProto(prompt.job.request, said.mutable_request());
  said.set_attempt(prompt.job.attempt);
  said.set_first_index(static_cast<std::uint32_t>(index));
  said.set_finish(static_cast<std::uint32_t>(finish));
  ToProto(output, said.add_tokens());

  const bool ends = finish != FinishReason::kNone;
  commands.push_back(OutboundFirstToken{prompt.handoff(), output.token, ends});
  prompt.state = PromptState::kComputed;
  if (ends) End(prompt, HandoffReason::kFirstTokenEnds);
}

void PrefillWorker::State::PlanStep(Instant now) {
  if (!status.ok() || planned_.has_value() || !runner_.HasRoom()) return;
  while (const std::optional<SequenceId> next = scheduler_.NextToBegin()) {
    if (!Begin(*Find(*next), now)) break;  // pages come back when hand-offs settle
  }
  const std::vector<PromptChunk> chunks = scheduler_.Plan(runner_.time().cost());
  if (!chunks.empty()) planned_ = StepOf(chunks);
}

bool PrefillWorker::State::Begin(Prompt& prompt, Instant now) {
  const KvLayout& layout = arena_.layout();
  const int length = prompt.length();
  PageLease cached = prompt.table.Match(prompt.job.tokens, prompt.job.CachedMax(), index_, pool_);
  const auto pages = static_cast<std::uint32_t>(layout.PagesFor(length));
  absl::StatusOr<PageLease> fresh = pool_.Acquire(pages - cached.size());
  if (!fresh.ok()) return false;
  prompt.cached = static_cast<int>(cached.size()) * layout.tokens_per_page;
  prompt.computed = prompt.cached;
  prompt.table.Append(std::move(cached));
  prompt.table.Append(*std::move(fresh));
  const int rows = length % layout.tokens_per_page;
  if (rows != 0) arena_.ZeroRows(prompt.table.pages().back(), rows);
  prompt.state = PromptState::kBegun;
  prompt.lent = true;
  scheduler_.Begin(prompt.cached);
  counts_.prompt_tokens += static_cast<std::uint64_t>(length);
  counts_.cached_tokens += static_cast<std::uint64_t>(prompt.cached);

  StepShape first_chunk;
  first_chunk.AddRun(prompt.cached, std::min(length - prompt.cached, options_.step_tokens_max));
  const std::chrono::duration<double> predicted(runner_.time().Seconds(first_chunk));
  commands.push_back(StartOutbound{
      .handoff = prompt.handoff(),
      .id = {prompt.job.request, prompt.job.attempt},
      .peer = prompt.peer,
      .prompt_tokens = static_cast<std::uint32_t>(length),
      .prompt_key = prompt.prompt_key,
      .pages = {prompt.table.pages().begin(), prompt.table.pages().end()},
      .ready_pages = static_cast<std::uint32_t>(prompt.cached / layout.tokens_per_page),
      .first_page_in = std::chrono::duration_cast<Duration>(predicted)});
  link::WorkerMessage message;
  link::JobAccepted& accepted = *message.mutable_accepted();
  ToProto(prompt.job.request, accepted.mutable_request());
  accepted.set_attempt(prompt.job.attempt);
  accepted.set_cached_tokens(static_cast<std::uint32_t>(prompt.cached));
  outbox.Send(prompt.link, std::move(message));
  prompt.first_launch = now;
  return true;
}

Step PrefillWorker::State::StepOf(const std::vector<PromptChunk>& chunks) {
  Step step{.number = runner_.next_number(), .entries = {}};
  OutboundStep told{.step = step.number, .spans = {}};
  const int page_tokens = arena_.layout().tokens_per_page;
  for (const PromptChunk& chunk : chunks) {
    Prompt& prompt = *Find(chunk.sequence);
    ++prompt.chunks_in_flight;
    const auto tokens = prompt.job.tokens.begin();
    step.entries.push_back(
        {.sequence = chunk.sequence,
         .first_position = chunk.first,
         .tokens = {tokens + chunk.first, tokens + chunk.end},
         .pages = {prompt.table.pages().begin(), prompt.table.pages().end()},
         .samples = chunk.last,
         .sampling = prompt.job.sampling,
         .context = chunk.last ? ContextOf(prompt.job.sampling, prompt.job.stop, prompt.job.tokens,
                                           prompt.job.prompt_tokens)
                               : SampleContext(),
         .followers = FollowersOf(prompt.job.sampling, prompt.job.tokens, prompt.job.prompt_tokens,
                                  chunk.first, chunk.end)});
    // Chunks but the last end at page borders, so the rounding up concerns the last page alone.
    told.spans.push_back(
        {.handoff = prompt.handoff(),
         .first_page = static_cast<std::uint32_t>(chunk.first / page_tokens),
         .end_page = static_cast<std::uint32_t>(arena_.layout().PagesFor(chunk.end)),
         .last_chunk = chunk.last});
  }
  commands.push_back(std::move(told));
  return step;
}

void PrefillWorker::State::LaunchPlanned(Instant now) {
  if (!planned_.has_value()) return;
  Step step = *std::exchange(planned_, std::nullopt);
  if (const absl::Status launched = runner_.Launch(std::move(step), now); !launched.ok()) {
    Stop(launched);
  }
}

void PrefillWorker::State::Stop(absl::Status error) {
  status = std::move(error);
  planned_.reset();
  for (auto& [sequence, prompt] : prompts_) {
    prompt.chunks_in_flight = 0;  // nothing will be collected any more
    Fail(prompt, link::FAIL_INTERNAL, true, "the device of the prefill worker is lost");
  }
}

}  // namespace baton
