// Dense product with the weights as a checkpoint stores a Linear: rows of the output, K
// contiguous.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "base/dtype.h"
#include "kernels/common/cost.h"
#include "kernels/stream.h"

namespace baton {

/// c[i][r][n] = sum_k a[i][r][k] * b[i][n][k] (+ bias[n]), for each i in batch.
struct GemmParams {
  int m = 0;
  int n = 0;
  int k = 0;
  int batch = 1;  // independent products, for example one a head
  DType a_dtype = DType::kBf16;
  DType b_dtype = DType::kBf16;
  DType c_dtype = DType::kBf16;  // any but fp8
  const void* a = nullptr;       // [batch][m][k], strides below
  const void* b = nullptr;       // [batch][n][k], as a checkpoint stores a Linear
  const void* bias = nullptr;    // [n] of b_dtype, or null
  void* c = nullptr;             // [batch][m][n]
  std::int64_t a_row_stride = 0, a_batch_stride = 0;  // row stride 0 = k
  std::int64_t b_row_stride = 0, b_batch_stride = 0;  // row stride 0 = k
  std::int64_t c_row_stride = 0, c_batch_stride = 0;  // row stride 0 = n

  std::int64_t ARowStride() const { return a_row_stride != 0 ? a_row_stride : k; }
  std::int64_t BRowStride() const { return b_row_stride != 0 ? b_row_stride : k; }
  std::int64_t CRowStride() const { return c_row_stride != 0 ? c_row_stride : n; }
};

/// At best, for these parameters.
Cost CostOf(const GemmParams& params);

/// Errors: InvalidArgument for a shape or type that no backend runs, by name.
absl::Status Check(const GemmParams& params);

/// Plain loops: the definition of correct.
absl::Status ReferenceGemm(const GemmParams& params, Stream& stream);

}  // namespace baton
