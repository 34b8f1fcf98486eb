#include "engine/logprobs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/common/top_k.h"

namespace baton {

bool AllFinite(std::span<const float> logits) {
  constexpr std::uint32_t kExponent = 0x7f800000;
  bool finite = true;
  for (const float logit : logits) {
    finite &= (std::bit_cast<std::uint32_t>(logit) & kExponent) != kExponent;
  }
  return finite;
}

RowLogprobs::RowLogprobs(std::span<const float> logits)
    : logits_(logits), largest_(*std::max_element(logits.begin(), logits.end())) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest_);
  log_sum_ = std::log(sum);
}

float RowLogprobs::Of(TokenId token) const {
  const double logit = logits_[static_cast<std::size_t>(token)];
  return static_cast<float>(logit - largest_ - log_sum_);
}

std::vector<TokenLogprob> RowLogprobs::Top(int count) const {
  std::vector<TokenLogprob> top;
  if (count == 0) return top;
  std::vector<RankedValue> best(std::min(static_cast<std::size_t>(count), logits_.size()));
  TopK(logits_, best);
  top.reserve(best.size());
  for (const RankedValue& ranked : best) top.push_back({ranked.index, Of(ranked.index)});
  return top;
}

int RowLogprobs::RankOf(TokenId token) const {
  const RankedValue own{logits_[static_cast<std::size_t>(token)], token};
  int before = 0;
  for (std::size_t id = 0; id < logits_.size(); ++id) {
    before += RanksBefore({logits_[id], static_cast<std::int32_t>(id)}, own) ? 1 : 0;
  }
  return before + 1;
}

}  // namespace baton
