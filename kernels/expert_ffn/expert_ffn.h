// The routed experts of an MoE layer, from routing to the sum over experts.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "kernels/common/cost.h"
#include "kernels/stream.h"

namespace baton {

/// out[t] = sum over chosen experts, in ascending index, of w * down(silu(gate x) * up x), +
/// shared[t]; silu(gate x) * up x is rounded to the activation's type, all else stays fp32 until
/// the sum is cast.
struct ExpertFfnParams {
  int tokens = 0;
  int hidden = 0;
  int inter = 0;
  int experts = 0;
  int top_k = 0;
  DType activation = DType::kBf16;
  DType weight_dtype = DType::kBf16;
  const void* x = nullptr;            // [tokens][hidden] activation
  const std::int32_t* ids = nullptr;  // [tokens][top_k], ascending
  const float* weights = nullptr;     // [tokens][top_k]
  const void* const* gate = nullptr;  // [experts] pointers to [inter][hidden]
  const void* const* up = nullptr;    // [experts] pointers to [inter][hidden]
  const void* const* down = nullptr;  // [experts] pointers to [hidden][inter]
  const float* shared = nullptr;      // [tokens][hidden] fp32, or null
  void* out = nullptr;                // [tokens][hidden] activation
};

/// At best, for these parameters.
Cost CostOf(const ExpertFfnParams& params);

/// Errors: InvalidArgument for a shape or type that no backend runs, by name.
absl::Status Check(const ExpertFfnParams& params);

/// Plain loops: the definition of correct.
absl::Status ReferenceExpertFfn(const ExpertFfnParams& params, Stream& stream);

}  // namespace baton
