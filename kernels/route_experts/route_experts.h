// Which experts a token goes to, and with what weight.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "kernels/common/cost.h"
#include "kernels/stream.h"

namespace baton {

enum class GateMethod { kGreedy, kGroupLimitedGreedy, kNoAuxTc };

/// Chooses experts. Masked groups are -inf; equal scores: lowest index.
/// Source: deepseek-ai/DeepSeek-V3 inference/model.py (class Gate); V2 remote code for the softmax
/// gates.
struct RouteExpertsParams {
  int tokens = 0;
  int experts = 0;
  int top_k = 0;
  int groups = 1;
  int top_k_groups = 1;
  GateMethod method = GateMethod::kGreedy;
  bool normalize = false;         // weights / (sum + 1e-20), when top_k > 1
  float scaling_factor = 1.0F;    // always multiplied
  const float* logits = nullptr;  // [tokens][experts]
  const float* bias = nullptr;    // [experts] e_score_correction_bias; kNoAuxTc only
  std::int32_t* ids = nullptr;    // [tokens][top_k], ascending expert index
  float* weights = nullptr;       // [tokens][top_k], of ids
};

/// At best, for these parameters.
Cost CostOf(const RouteExpertsParams& params);

/// Errors: InvalidArgument for a shape or type that no backend runs, by name.
absl::Status Check(const RouteExpertsParams& params);

/// Plain loops: the definition of correct.
absl::Status ReferenceRouteExperts(const RouteExpertsParams& params, Stream& stream);

}  // namespace baton
