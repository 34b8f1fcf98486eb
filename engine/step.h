// What one forward pass does: the whole of what the scheduler tells the device, and the whole of
// what the device tells the scheduler. Both are plain values, so a test can write one down, a
// simulation can replay one, and a log line can print one.
#pragma once

#include <cstdint>
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
  SamplingParams sampling;      // read only when `samples`; the sample's position is
                                // first_position + tokens.size()
  SampleContext context;        // read only when `samples`
};

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

struct StepResult {
  std::uint64_t number = 0;
  std::vector<SampledToken> sampled;  // one per entry with samples == true, in entry order
};

}  // namespace baton
