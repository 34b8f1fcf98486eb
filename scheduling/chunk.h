// How a prompt is cut into the runs of successive steps. Both roles cut alike, so that a prompt
// that decode runs itself has the same chunk borders as at prefill.
#pragma once

#include <algorithm>

namespace baton {

/// How many of the `remaining` >= 1 tokens from `position` on go into a step that has room for
/// `budget` more. All that remain, or a run that ends at a page border, so that a chunk leaves
/// whole pages behind which can be sent; 0 when not even one page border is in reach.
constexpr int ChunkTokens(int position, int remaining, int budget, int page_tokens) {
  if (remaining <= budget) return remaining;
  const int border = (position + budget) / page_tokens * page_tokens;
  return std::max(0, border - position);
}

}  // namespace baton
