// From a row of logits to a token: a pure function of the row, the parameters and the position.
//
//   raw log-probabilities (what is reported is the model's distribution, not the filtered one)
//   -> ids without text leave the choice -> the request's rules (logit_rules.h) -> temperature <
//   1e-5: the largest, lowest id on ties
//   -> else divide by temperature, min_p, top_k, top_p, one uniform number, inverse CDF in id order
//
// The uniform number is Philox(key = seed, counter = (position, choice, draw, 0)): position is the
// index in the whole sequence, so that a retry on another worker draws the same.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/sampling.h"
#include "engine/logit_rules.h"

namespace baton {

/// Errors: InvalidArgument names the parameter that is out of its range.
absl::Status CheckSampling(const SamplingParams& params);

/// Thread: one. Holds scratch memory only; Sample() does not remember anything.
class Sampler {
 public:
  /// Ids from `ids_with_text` to `vocab_size` are never chosen.
  Sampler(int vocab_size, int ids_with_text);

  /// `logits`: [vocab_size]. `params` passed CheckSampling(). `position`: of the sampled token.
  /// `context`: what came before, for the rules that look back.
  /// Errors: Internal when a logit is not finite.
  absl::StatusOr<TokenOutput> Sample(std::span<const float> logits, const SamplingParams& params,
                                     int position, const SampleContext& context = {});

 private:
  struct Candidate {
    double weight;
    TokenId token;
  };

  TokenId Draw(std::span<const float> logits, const SamplingParams& params, int position);
  void KeepMostLikely(const SamplingParams& params);

  const int vocab_size_;
  const int ids_with_text_;
  std::vector<Candidate> kept_;  // scratch, [ids_with_text]
  std::vector<float> ruled_;     // scratch, [ids_with_text]: the row after the request's rules
};

}  // namespace baton
