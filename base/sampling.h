// What a request asks of the sampler, and what it gets back for each token. Plain values that
// cross every room: the door fills them, the sampler reads them, the stream carries the answer.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace baton {

inline constexpr float kRepetitionPenaltyMax = 10;  // (0, max]
inline constexpr float kPenaltyMax = 2;             // [-max, max]: frequency and presence
inline constexpr float kLogitBiasMax = 100;         // [-max, max]
inline constexpr int kLogprobsMax = 20;             // alternatives a token

/// What is added to one token's logit.
struct LogitBias {
  TokenId token = 0;
  float bias = 0;

  friend bool operator==(const LogitBias&, const LogitBias&) = default;
};

/// What a request asks of single tokens and of repetition, before anything is drawn.
struct TokenRules {
  float repetition_penalty = 1.0F;              // (0, 10]; of tokens in prompt and answer
  float frequency_penalty = 0.0F;               // [-2, 2], times how often the answer has it
  float presence_penalty = 0.0F;                // [-2, 2], of tokens that the answer has
  std::vector<LogitBias> logit_bias;            // each token once
  std::vector<TokenId> allowed_tokens;          // nothing else may come; empty = all may
  std::vector<std::vector<TokenId>> bad_words;  // never completed in the answer

  friend bool operator==(const TokenRules&, const TokenRules&) = default;
};

/// How one sequence is sampled. Randomness is a function of (seed, position, choice) alone, so that
/// no batch, migration or retry can change a sample.
struct SamplingParams {
  float temperature = 1.0F;  // < 1e-5 means greedy
  float top_p = 1.0F;        // (0, 1]
  int top_k = 0;             // 0 = all
  float min_p = 0.0F;        // [0, 1]
  std::uint64_t seed = 0;    // drawn at the door when the client gave none
  std::uint32_t choice = 0;  // which of the request's `n` answers this is
  int logprobs = -1;         // alternatives reported with each token; -1 = no logprobs at all, 0 =
                             // the sampled token's own
  int prompt_logprobs = -1;  // the same for each token of the prompt but the first
  TokenRules rules;

  friend bool operator==(const SamplingParams&, const SamplingParams&) = default;
};

struct TokenLogprob {
  TokenId token = 0;
  float logprob = 0;  // natural log, of the model's own distribution (before temperature, filters)

  friend bool operator==(const TokenLogprob&, const TokenLogprob&) = default;
};

/// One sampled token.
struct TokenOutput {
  TokenId token = 0;
  float logprob = 0;              // set when SamplingParams::logprobs >= 0
  std::vector<TokenLogprob> top;  // [min(logprobs, vocabulary)], most likely first

  friend bool operator==(const TokenOutput&, const TokenOutput&) = default;
};

/// One token of a prompt as the model saw it coming: after the tokens before it.
struct PromptLogprob {
  TokenId token = 0;
  float logprob = 0;
  int rank = 0;                   // from 1; equal log-probabilities rank by id
  std::vector<TokenLogprob> top;  // [min(prompt_logprobs, vocabulary)], most likely first

  friend bool operator==(const PromptLogprob&, const PromptLogprob&) = default;
};

enum class FinishReason : std::uint8_t {
  kNone = 0,    // still running
  kStop = 1,    // an end token, a stop token or a stop string
  kLength = 2,  // max_tokens, or the model's length
};

/// When a sequence ends. One rule, used by both roles (a first token may be the last).
struct StopRule {
  int max_tokens = 0;  // generated tokens of the whole request; >= 1
  int min_tokens = 0;  // end tokens do not end before that many
  bool ignore_end_tokens = false;
  std::vector<TokenId> end_tokens;  // the model's and the client's stop ids

  /// The reason to end after `token` became generated token number `generated` (counted from 1).
  FinishReason After(int generated, TokenId token) const {
    if (!ignore_end_tokens && generated > min_tokens) {
      for (TokenId end : end_tokens) {
        if (token == end) return FinishReason::kStop;
      }
    }
    return generated >= max_tokens ? FinishReason::kLength : FinishReason::kNone;
  }

  friend bool operator==(const StopRule&, const StopRule&) = default;
};

}  // namespace baton
