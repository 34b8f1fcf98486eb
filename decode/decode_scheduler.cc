#include "decode/decode_scheduler.h"

#include "base/check.h"
#include "scheduling/chunk.h"

namespace baton {

std::vector<DecodeRun> PlanDecodeStep(std::span<const DecodeCandidate> candidates,
                                      const DecodeLimits& limits) {
  std::vector<DecodeRun> runs;
  runs.reserve(candidates.size());
  int budget = limits.step_tokens_max;
  for (const DecodeCandidate& candidate : candidates) {
    BATON_CHECK(candidate.known > candidate.computed);
    if (candidate.known - candidate.computed > 1) continue;
    runs.push_back({candidate.sequence, candidate.computed, candidate.known, true});
    --budget;
  }
  BATON_CHECK(budget >= 0);
  for (const DecodeCandidate& candidate : candidates) {
    const int remaining = candidate.known - candidate.computed;
    if (remaining == 1) continue;
    const int tokens = ChunkTokens(candidate.computed, remaining, budget, limits.page_tokens);
    if (tokens == 0) continue;
    runs.push_back(
        {candidate.sequence, candidate.computed, candidate.computed + tokens, tokens == remaining});
    budget -= tokens;
  }
  return runs;
}

}  // namespace baton
