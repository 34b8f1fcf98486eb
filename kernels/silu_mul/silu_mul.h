// The gate of an MLP.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "kernels/common/cost.h"
#include "kernels/stream.h"

namespace baton {

/// out[t][i] = silu(gate_up[t][i]) * gate_up[t][inter + i]
struct SiluMulParams {
  int tokens = 0;
  int inter = 0;
  DType activation = DType::kBf16;
  const void* gate_up = nullptr;  // [tokens][2 * inter] activation
  void* out = nullptr;            // [tokens][inter] activation
};

/// At best, for these parameters.
Cost CostOf(const SiluMulParams& params);

/// Errors: InvalidArgument for a shape or type that no backend runs, by name.
absl::Status Check(const SiluMulParams& params);

/// Plain loops: the definition of correct.
absl::Status ReferenceSiluMul(const SiluMulParams& params, Stream& stream);

}  // namespace baton
