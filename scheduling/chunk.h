// How a prompt is cut into the runs of successive steps. Both roles cut alike, so that a prompt
// that decode runs itself has the same chunk borders as at prefill.
#pragma once

#include <algorithm>

#include "scheduling/step_time.h"

namespace baton {

/// Seconds that a run of `tokens` from `position` on adds to a step.
inline double RunSeconds(const StepCost& cost, int position, int tokens) {
  StepShape shape;
  shape.AddRun(position, tokens);
  return cost.Seconds(shape) - cost.fixed;
}

/// How many tokens from `position` on a step may take in `seconds`: whole pages, at least one, at
/// most `budget`. A step is what cancels, renewals and the pages of a chunk wait for, so its time
/// is bounded as well as its tokens.
inline int TokensWithin(const StepCost& cost, int position, double seconds, int budget,
                        int page_tokens) {
  int tokens = page_tokens;
  while (tokens + page_tokens <= budget &&
         RunSeconds(cost, position, tokens + page_tokens) <= seconds) {
    tokens += page_tokens;
  }
  // Less than a page short of the budget: what remains of a prompt may end there.
  if (tokens + page_tokens > budget && RunSeconds(cost, position, budget) <= seconds) return budget;
  return std::min(tokens, budget);
}

/// How many of the `remaining` >= 1 tokens from `position` on go into a step that has room for
/// `budget` more. All that remain, or a run that ends at a page border, so that a chunk leaves
/// whole pages behind which can be sent; 0 when not even one page border is in reach.
constexpr int ChunkTokens(int position, int remaining, int budget, int page_tokens) {
  if (remaining <= budget) return remaining;
  const int border = (position + budget) / page_tokens * page_tokens;
  return std::max(0, border - position);
}

}  // namespace baton
