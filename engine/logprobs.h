// Log-probabilities of a row of logits: fp32 log-softmax over the whole vocabulary, whose sum runs
// in id order, in double. What is reported is the model's distribution, not the one that is drawn
// from.
#pragma once

#include <span>
#include <vector>

#include "base/sampling.h"

namespace baton {

/// False when a logit is NaN or infinite: the weights or the kernels are broken.
bool AllFinite(std::span<const float> logits);

/// `logits`: [vocabulary], all finite; they outlive it.
class RowLogprobs {
 public:
  explicit RowLogprobs(std::span<const float> logits);

  float Of(TokenId token) const;

  /// The min(count, vocabulary) most likely, most likely first; ties by lowest id.
  std::vector<TokenLogprob> Top(int count) const;

  /// How many come before `token` in that order, plus one.
  int RankOf(TokenId token) const;

 private:
  std::span<const float> logits_;
  float largest_;
  double log_sum_;
};

}  // namespace baton
