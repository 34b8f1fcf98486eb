#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "base/status.h"
#include "kernels/common/top_k.h"
#include "kernels/route_experts/route_experts.h"

namespace baton {
namespace {

using Scores = std::vector<float>;

Scores Softmax(std::span<const float> logits) {
  const double max = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (float logit : logits) sum += std::exp(double{logit} - max);
  Scores scores;
  scores.reserve(logits.size());
  for (float logit : logits) {
    scores.push_back(static_cast<float>(std::exp(double{logit} - max) / sum));
  }
  return scores;
}

Scores Sigmoid(std::span<const float> logits) {
  Scores scores;
  scores.reserve(logits.size());
  for (float logit : logits) {
    scores.push_back(static_cast<float>(1.0 / (1.0 + std::exp(-double{logit}))));
  }
  return scores;
}

// A group's worth: its best score, or for noaux_tc the sum of its two best.
float GroupScore(const RouteExpertsParams& params, std::span<const float> group) {
  std::vector<RankedValue> best(std::min<std::size_t>(2, group.size()));
  TopK(group, best);
  const bool sums = params.method == GateMethod::kNoAuxTc && best.size() == 2;
  return sums ? best[0].value + best[1].value : best[0].value;
}

// -inf for every expert outside the best groups.
void MaskGroups(const RouteExpertsParams& params, Scores& choice) {
  const auto size = static_cast<std::size_t>(params.experts / params.groups);
  const auto groups = static_cast<std::size_t>(params.groups);
  Scores group_scores;
  for (std::size_t g = 0; g < groups; ++g) {
    group_scores.push_back(
        GroupScore(params, std::span<const float>(choice).subspan(g * size, size)));
  }
  std::vector<RankedValue> kept(static_cast<std::size_t>(params.top_k_groups));
  TopK(group_scores, kept);
  std::vector<bool> keep(groups, false);
  for (const RankedValue& group : kept) keep[static_cast<std::size_t>(group.index)] = true;
  for (std::size_t e = 0; e < choice.size(); ++e) {
    if (!keep[e / size]) choice[e] = -std::numeric_limits<float>::infinity();
  }
}

// `scores` gives the weights, `choice` the order; they differ for noaux_tc.
void WriteChosen(const RouteExpertsParams& params, int token, const Scores& scores,
                 const Scores& choice) {
  std::vector<RankedValue> chosen(static_cast<std::size_t>(params.top_k));
  TopK(choice, chosen);
  std::sort(chosen.begin(), chosen.end(),
            [](const RankedValue& a, const RankedValue& b) { return a.index < b.index; });
  double sum = 0;
  for (const RankedValue& expert : chosen) sum += scores[static_cast<std::size_t>(expert.index)];
  const bool divides = params.normalize && params.top_k > 1;
  const double scale = double{params.scaling_factor} / (divides ? sum + 1e-20 : 1.0);
  const std::int64_t first = std::int64_t{token} * params.top_k;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto at = first + static_cast<std::int64_t>(i);
    params.ids[at] = chosen[i].index;
    params.weights[at] =
        static_cast<float>(scores[static_cast<std::size_t>(chosen[i].index)] * scale);
  }
}

void RouteToken(const RouteExpertsParams& params, int token) {
  const auto experts = static_cast<std::size_t>(params.experts);
  const std::span<const float> logits(params.logits + std::int64_t{token} * params.experts,
                                      experts);
  const bool sigmoid = params.method == GateMethod::kNoAuxTc;
  const Scores scores = sigmoid ? Sigmoid(logits) : Softmax(logits);
  Scores choice = scores;
  if (sigmoid) {
    for (std::size_t e = 0; e < experts; ++e) choice[e] += params.bias[e];
  }
  if (params.method != GateMethod::kGreedy) MaskGroups(params, choice);
  WriteChosen(params, token, scores, choice);
}

}  // namespace

absl::Status ReferenceRouteExperts(const RouteExpertsParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  stream.ParallelFor(params.tokens, [&params](int first, int last) {
    for (int token = first; token < last; ++token) RouteToken(params, token);
  });
  return absl::OkStatus();
}

}  // namespace baton
