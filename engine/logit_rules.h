// What a request asks of logits before a token is chosen: ids that must or must not come, biases,
// penalties. The reported log-probabilities are taken before, from the model's own row.
//
//   allowed tokens -> bad words -> end tokens before min_tokens -> bias -> repetition, frequency,
//   presence
//
// Pure: a function of the row, the parameters and the tokens so far, so that a retry on another
// worker, which has the same tokens, chooses the same.
// Source: the order of vLLM V1's sampler; repetition as in Keskar et al., "CTRL", 2019,
// section 4.1.
#pragma once

#include <span>
#include <vector>

#include "base/ids.h"
#include "base/sampling.h"

namespace baton {

/// What the rules of one sample look back on.
struct SampleContext {
  std::vector<TokenId> tokens;    // prompt and answer so far; empty where no rule reads them
  int prompt_tokens = 0;          // how many of them are the client's
  std::vector<TokenId> withheld;  // must not come yet: end tokens before min_tokens
};

/// The context of the token after `tokens`, of which `prompt_tokens` are the client's.
SampleContext ContextOf(const SamplingParams& params, const StopRule& stop,
                        std::span<const TokenId> tokens, int prompt_tokens);

/// False where ApplyLogitRules would change nothing.
bool HasLogitRules(const SamplingParams& params, const SampleContext& context);

/// `row`: [ids that may be chosen], finite; ids in `params` and `context` beyond it are ignored.
/// What must not come becomes minus infinity. When that leaves nothing at all, bad words and
/// withheld tokens may come after all: an answer is owed.
void ApplyLogitRules(const SamplingParams& params, const SampleContext& context,
                     std::span<float> row);

}  // namespace baton
