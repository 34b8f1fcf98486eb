// Residual add and RMS normalisation in one pass over a row.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "kernels/common/cost.h"
#include "kernels/stream.h"

namespace baton {

/// residual += x (when x is given, rounded once to activation); out = residual / rms(residual) *
/// weight.
struct RmsNormParams {
  int rows = 0;
  int dim = 0;
  float epsilon = 1e-6F;
  DType activation = DType::kBf16;
  DType weight_dtype = DType::kBf16;
  const void* x = nullptr;       // [rows][dim] activation, or null: nothing is added
  void* residual = nullptr;      // [rows][residual_stride] activation; only written when x is given
  const void* weight = nullptr;  // [dim]
  void* out = nullptr;           // [rows][out_stride] activation
  std::int64_t residual_stride = 0;  // elements between rows; 0 = dim
  std::int64_t out_stride = 0;       // elements between rows; 0 = dim

  std::int64_t ResidualStride() const { return residual_stride != 0 ? residual_stride : dim; }
  std::int64_t OutStride() const { return out_stride != 0 ? out_stride : dim; }
};

/// At best, for these parameters.
Cost CostOf(const RmsNormParams& params);

/// Errors: InvalidArgument for a shape or type that no backend runs, by name.
absl::Status Check(const RmsNormParams& params);

/// Plain loops: the definition of correct.
absl::Status ReferenceRmsNorm(const RmsNormParams& params, Stream& stream);

}  // namespace baton
