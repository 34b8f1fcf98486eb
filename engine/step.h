// What one forward pass does: the whole of what the scheduler tells the device, and the whole of
// what the device tells the scheduler. Both are plain values, so a test can write one down, a
// simulation can replay one, and a log line can print one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/sampling.h"
#include "engine/logit_rules.h"

namespace baton {

/// A run of consecutive tokens of one sequence. A decode step has one token; a prefill chunk more.
struct StepEntry {
  SequenceId sequence{};
  int first_position = 0;       // of the run; tokens before it already stand in the cache
  std::vector<TokenId> tokens;  // [run length >= 1]
  std::vector<PageId> pages;    // block table; covers first_position + tokens.size()
  bool samples = false;         // the run reaches the end of what is known: sample what follows it
  SamplingParams sampling;      // read only when `samples`, prompt_logprobs with `followers`; the
                                // sample's position is first_position + tokens.size()
  SampleContext context;        // read only when `samples`
  std::vector<TokenId> followers;  // what the prompt has after each token of the run: their
                                   // log-probabilities are wanted; [<= tokens.size()], empty = none
};

/// Followers of the run [first, end) of a sequence whose first `prompt_tokens` of `tokens` are its
/// prompt; none where `sampling` asks for no prompt_logprobs.
inline std::vector<TokenId> FollowersOf(const SamplingParams& sampling,
                                        std::span<const TokenId> tokens, int prompt_tokens,
                                        int first, int end) {
  const int last = std::min(end + 1, prompt_tokens);
  if (sampling.prompt_logprobs < 0 || last <= first + 1) return {};
  return {tokens.begin() + first + 1, tokens.begin() + last};
}

struct Step {
  std::uint64_t number = 0;  // counts up by one per worker
  std::vector<StepEntry> entries;

  bool empty() const { return entries.empty(); }
  int num_tokens() const {
    std::size_t count = 0;
    for (const StepEntry& entry : entries) count += entry.tokens.size();
    return static_cast<int>(count);
  }
};

struct SampledToken {
  SequenceId sequence{};
  TokenOutput output;
};

/// What the model gave to consecutive tokens of a prompt.
struct PromptLogprobRun {
  SequenceId sequence{};
  int first_position = 0;  // in the prompt
  std::vector<PromptLogprob> tokens;
};

struct StepResult {
  std::uint64_t number = 0;
  std::vector<PromptLogprobRun> prompts;  // one per entry with followers, in entry order
  std::vector<SampledToken> sampled;      // one per entry with samples == true, in entry order
};

}  // namespace baton
