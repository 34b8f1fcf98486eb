// A model made for catching wrong bytes: each token's row in a page is a hash chain over the tokens
// before it, and what is sampled depends on every row that a sequence may see. One wrong, stale or
// exchanged byte of any page changes every later token.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/sampling.h"
#include "engine/step.h"
#include "kvcache/kv_arena.h"

namespace baton {

inline constexpr int kHashVocabulary = 997;
inline constexpr TokenId kHashEnd = 0;  // comes up once in 997 tokens

/// Pages of `tokens_per_page` tokens, two layers of 16 bytes a token: one latent, or when `heads`
/// keys and values of two heads.
KvLayout HashLayout(int tokens_per_page, bool heads);

/// Writes the rows of one layer of a run into its pages, reading the row before it from there.
void WriteHashRows(const StepEntry& entry, int layer, const KvArena& arena);

/// What follows the run, from all rows in its pages.
TokenOutput SampleFromPages(const StepEntry& entry, const KvArena& arena);

/// What the model gives to the run's followers, from all rows that each may see.
PromptLogprobRun ScoreFromPages(const StepEntry& entry, const KvArena& arena);

/// The same of a whole prompt, from its second token on, in one undisturbed process.
std::vector<PromptLogprob> HashPromptOracle(const std::vector<TokenId>& prompt);

/// The whole answer that one undisturbed process gives.
std::vector<TokenOutput> HashOracle(const std::vector<TokenId>& prompt,
                                    const SamplingParams& sampling, const StopRule& stop);

}  // namespace baton
