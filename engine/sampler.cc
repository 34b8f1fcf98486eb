#include "engine/sampler.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "engine/logprobs.h"
#include "kernels/common/philox.h"

namespace baton {
namespace {

constexpr float kGreedyBelow = 1e-5F;
constexpr std::uint32_t kFirstDraw = 0;

// In [0, 1), 53 bits.
double Uniform(const SamplingParams& params, int position) {
  const PhiloxCounter words = Philox4x32(
      {static_cast<std::uint32_t>(position), params.choice, kFirstDraw, 0},
      {static_cast<std::uint32_t>(params.seed), static_cast<std::uint32_t>(params.seed >> 32)});
  const std::uint64_t bits = (std::uint64_t{words[0]} << 32 | words[1]) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

}  // namespace

absl::Status CheckSampling(const SamplingParams& params) {
  // Written so that NaN fails each of them.
  if (!(params.temperature >= 0 && std::isfinite(params.temperature))) {
    return absl::InvalidArgumentError("temperature must be a finite number >= 0");
  }
  if (!(params.top_p > 0 && params.top_p <= 1)) {
    return absl::InvalidArgumentError("top_p must be above 0 and at most 1");
  }
  if (!(params.min_p >= 0 && params.min_p <= 1)) {
    return absl::InvalidArgumentError("min_p must be from 0 to 1");
  }
  if (params.top_k < 0) return absl::InvalidArgumentError("top_k must be >= 0");
  if (!(params.rules.repetition_penalty > 0 &&
        params.rules.repetition_penalty <= kRepetitionPenaltyMax)) {
    return absl::InvalidArgumentError("repetition_penalty must be above 0 and at most 10");
  }
  const auto beyond = [](float penalty) { return !(std::abs(penalty) <= kPenaltyMax); };
  if (beyond(params.rules.frequency_penalty) || beyond(params.rules.presence_penalty)) {
    return absl::InvalidArgumentError("frequency and presence penalties are from -2 to 2");
  }
  for (const LogitBias& bias : params.rules.logit_bias) {
    if (!(std::abs(bias.bias) <= kLogitBiasMax)) {
      return absl::InvalidArgumentError("logit_bias is from -100 to 100");
    }
  }
  return absl::OkStatus();
}

Sampler::Sampler(int vocab_size, int ids_with_text)
    : vocab_size_(vocab_size), ids_with_text_(ids_with_text) {
  BATON_CHECK(ids_with_text > 0 && ids_with_text <= vocab_size);
  kept_.reserve(static_cast<std::size_t>(ids_with_text));
}

absl::StatusOr<TokenOutput> Sampler::Sample(std::span<const float> logits,
                                            const SamplingParams& params, int position,
                                            const SampleContext& context) {
  BATON_CHECK(CheckSampling(params).ok());
  BATON_CHECK(logits.size() == static_cast<std::size_t>(vocab_size_));
  if (!AllFinite(logits)) {
    return absl::InternalError(absl::StrFormat(
        "a logit at position %d is not finite; the weights or the kernels are broken", position));
  }
  auto with_text = logits.first(static_cast<std::size_t>(ids_with_text_));
  if (HasLogitRules(params, context)) {
    ruled_.assign(with_text.begin(), with_text.end());
    ApplyLogitRules(params, context, ruled_);
    with_text = ruled_;
  }
  TokenOutput output;
  if (params.temperature < kGreedyBelow) {
    const auto largest = std::max_element(with_text.begin(), with_text.end());
    output.token = static_cast<TokenId>(largest - with_text.begin());
  } else {
    output.token = Draw(with_text, params, position);
  }
  if (params.logprobs < 0) return output;
  const RowLogprobs row(logits);
  output.logprob = row.Of(output.token);
  output.top = row.Top(params.logprobs);
  return output;
}

TokenId Sampler::Draw(std::span<const float> logits, const SamplingParams& params, int position) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  const double temperature = params.temperature;
  kept_.clear();
  for (std::size_t id = 0; id < logits.size(); ++id) {
    const double weight = std::exp((logits[id] - largest) / temperature);
    if (weight > 0 && weight >= params.min_p) kept_.push_back({weight, static_cast<TokenId>(id)});
  }
  if (params.top_k > 0 || params.top_p < 1.0F) KeepMostLikely(params);
  double total = 0;
  for (const Candidate& candidate : kept_) total += candidate.weight;
  const double target = Uniform(params, position) * total;
  double sum = 0;
  for (const Candidate& candidate : kept_) {
    sum += candidate.weight;
    if (sum > target) return candidate.token;
  }
  return kept_.back().token;  // the sum rounded just below the target
}

// top_k, then the smallest set of most likely tokens that reaches top_p of what is left; ties by
// lowest id. Leaves kept_ in id order.
void Sampler::KeepMostLikely(const SamplingParams& params) {
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
  };
  const auto by_id = [](const Candidate& a, const Candidate& b) { return a.token < b.token; };
  if (params.top_k > 0 && static_cast<std::size_t>(params.top_k) < kept_.size()) {
    std::nth_element(kept_.begin(), kept_.begin() + params.top_k - 1, kept_.end(), likelier);
    kept_.resize(static_cast<std::size_t>(params.top_k));
    std::sort(kept_.begin(), kept_.end(), by_id);
  }
  if (params.top_p >= 1.0F) return;
  double total = 0;
  for (const Candidate& candidate : kept_) total += candidate.weight;
  const double needed = params.top_p * total;
  // The most likely are few: taken from a heap one by one, without sorting the rest.
  const auto heap_order = [&](const Candidate& a, const Candidate& b) { return likelier(b, a); };
  std::make_heap(kept_.begin(), kept_.end(), heap_order);
  double sum = 0;
  auto heap_end = kept_.end();
  while (heap_end != kept_.begin() && (sum < needed || heap_end == kept_.end())) {
    std::pop_heap(kept_.begin(), heap_end, heap_order);
    --heap_end;
    sum += heap_end->weight;
  }
  kept_.erase(kept_.begin(), heap_end);
  std::sort(kept_.begin(), kept_.end(), by_id);
}

}  // namespace baton
