// What every decoder does around its attention: embed, norms with the residual stream, dense
// products, the gated MLP, the head. Holds the scratch memory of these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "engine/model/architecture.h"
#include "engine/model/batch.h"
#include "kernels/backend.h"

namespace baton {

/// down(silu(gate x) * up x)
struct MlpWeights {
  const void* gate = nullptr;  // [inter][hidden]
  const void* up = nullptr;    // [inter][hidden]
  const void* down = nullptr;  // [hidden][inter]
};

/// A product with weights as a checkpoint stores a Linear.
struct LinearWeights {
  const void* weight = nullptr;  // [out][in]
  const void* bias = nullptr;    // [out], or null
};

using Buffer = std::unique_ptr<std::byte[]>;

/// A dense product's shape: [m][k] times [n][k], transposed, gives [m][n].
struct LinearShape {
  int m;
  int n;
  int k;
  DType c_dtype;
  std::int64_t c_row_stride = 0;  // elements; 0 = n
};

struct NormShape {
  int rows;
  int dim;
  float epsilon;
};

struct DecoderOptions {
  int inter = 0;  // of the widest MLP
  DType dtype = DType::kBf16;
  const void* embed = nullptr;  // [vocab][hidden]
  const void* norm = nullptr;   // [hidden], before the head
  const void* head = nullptr;   // [vocab][hidden]
};

/// Thread: one. Scratch memory for the largest batch is allocated by the constructor.
class DecoderParts {
 public:
  /// Everything given outlives it.
  DecoderParts(const ModelShape& shape, const DecoderOptions& options, const Backend& backend,
               Stream& stream, const BatchLimits& limits);

  /// The residual stream begins: one row a token of `batch`.
  absl::Status Embed(const Batch& batch);

  /// residual += branch() (unless this is the first since Embed()); normed() = rms_norm(residual) *
  /// weight.
  absl::Status Norm(const void* weight, int tokens);

  /// out = rms_norm(residual) * weight; x, unless it is null, is added to the residual first.
  absl::Status RmsNorm(const NormShape& shape, const void* x, void* residual, const void* weight,
                       void* out);

  /// c = a times b, transposed (+ bias[n], unless it is null).
  absl::Status Linear(const void* a, LinearWeights b, void* c, const LinearShape& shape);

  /// out = down(silu(gate x) * up x) of normed(), in up.c_dtype; `up` is the shape of the first two
  /// products.
  absl::Status Mlp(const MlpWeights& mlp, const LinearShape& up, void* out);

  /// Logits of these rows of the batch, at most BatchLimits::LogitRows(), and of no others.
  absl::Status Head(std::span<const std::int32_t> rows);

  /// [vocab] of the i-th row of the last Head().
  const float* Logits(int i) const;

  const std::byte* normed() const { return normed_.get(); }  // [tokens][hidden]
  std::byte* branch() { return branch_.get(); }  // [tokens][hidden] what attention or the MLP adds

  /// [rows][width] of the decoder's type. Not touched before a batch is as large: what no step has
  /// needed takes no memory.
  Buffer Scratch(std::int64_t rows, std::int64_t width) const;

 private:
  const ModelShape& shape_;
  const DecoderOptions options_;
  const Backend& backend_;
  Stream& stream_;
  const int logit_rows_;
  bool added_ = false;  // branch_ holds what the residual lacks

  Buffer residual_;                  // [tokens][hidden]
  Buffer normed_;                    // [tokens][hidden]
  Buffer branch_;                    // [tokens][hidden]
  Buffer gate_up_;                   // [tokens][2 * inter]
  Buffer activated_;                 // [tokens][inter]
  Buffer last_;                      // [logit rows][hidden] those of Head()
  Buffer last_branch_;               // [logit rows][hidden]
  Buffer last_normed_;               // [logit rows][hidden]
  std::unique_ptr<float[]> logits_;  // [logit rows][vocab]
};

}  // namespace baton
