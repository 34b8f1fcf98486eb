#include "prefill/prefill_scheduler.h"

#include "base/check.h"
#include "scheduling/chunk.h"

namespace baton {

PrefillScheduler::PrefillScheduler(const Options& options) : options_(options) {
  BATON_CHECK(options.step_tokens_max >= options.page_tokens && options.sequences_max >= 1);
}

void PrefillScheduler::Add(SequenceId sequence, int tokens) {
  waiting_.push_back({.sequence = sequence, .length = tokens, .planned = 0});
}

void PrefillScheduler::Remove(SequenceId sequence) {
  const auto is_it = [sequence](const Prompt& prompt) { return prompt.sequence == sequence; };
  std::erase_if(waiting_, is_it);
  std::erase_if(begun_, is_it);
}

std::optional<SequenceId> PrefillScheduler::NextToBegin() const {
  if (waiting_.empty() || static_cast<int>(begun_.size()) >= options_.sequences_max) {
    return std::nullopt;
  }
  int tokens = 0;
  for (const Prompt& prompt : begun_) {
    tokens += prompt.length - prompt.planned;
    if (tokens >= options_.step_tokens_max) return std::nullopt;
  }
  return waiting_.front().sequence;
}

void PrefillScheduler::Begin(int cached_tokens) {
  BATON_CHECK(!waiting_.empty() && cached_tokens < waiting_.front().length);
  begun_.push_back(waiting_.front());
  begun_.back().planned = cached_tokens;
  waiting_.pop_front();
}

std::vector<PromptChunk> PrefillScheduler::Plan(const StepCost& cost) {
  std::vector<PromptChunk> chunks;
  int budget = options_.step_tokens_max;
  double seconds = options_.step_seconds_max - cost.fixed;
  for (Prompt& prompt : begun_) {
    if (!chunks.empty() && seconds <= 0) break;
    const int remaining = prompt.length - prompt.planned;
    const int most = TokensWithin(cost, prompt.planned, seconds, budget, options_.page_tokens);
    const int tokens = ChunkTokens(prompt.planned, remaining, most, options_.page_tokens);
    if (tokens == 0) continue;  // a shorter prompt behind it may still fit
    chunks.push_back({.sequence = prompt.sequence,
                      .first = prompt.planned,
                      .end = prompt.planned + tokens,
                      .last = tokens == remaining});
    prompt.planned += tokens;
    budget -= tokens;
    seconds -= RunSeconds(cost, prompt.planned - tokens, tokens);
  }
  std::erase_if(begun_, [](const Prompt& prompt) { return prompt.planned == prompt.length; });
  return chunks;
}

}  // namespace baton
