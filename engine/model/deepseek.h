// The forward pass of the DeepSeek-V2 family: from token ids to logits, over whatever Backend it is
// given. Multi-head latent attention in absorbed form, in prefill and in decode alike, so that both
// roles give the same bits.
//
//   embed -> { norm -> attention -> norm -> dense MLP or experts } x layers -> norm -> head
//
// Source: DeepSeek-V2 (arXiv 2405.04434) section 2; deepseek-ai/DeepSeek-V3 inference/model.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "engine/model/architecture.h"
#include "engine/model/batch.h"
#include "engine/model/deepseek_weights.h"
#include "kernels/backend.h"
#include "kvcache/kv_arena.h"

namespace baton {

/// Thread: one. Scratch memory for the largest batch is allocated by the constructor.
class DeepseekForward : public Forward {
 public:
  /// All of these outlive it.
  DeepseekForward(const DeepseekWeights& weights, const Backend& backend, KvArena& arena,
                  Stream& stream, const BatchLimits& limits);

  absl::Status Run(const Batch& batch, absl::FunctionRef<void(int layer)> layer_done) override;
  const float* Logits(int i) const override;

 private:
  using Buffer = std::unique_ptr<std::byte[]>;

  /// A dense product's shape: [m][k] times [n][k], transposed, gives [m][n].
  struct Shape {
    int m;
    int n;
    int k;
    DType c_dtype;
    std::int64_t c_row_stride = 0;  // elements; 0 = n
  };

  absl::Status Queries(const DeepseekLayer& layer, int tokens);
  absl::Status Append(const DeepseekLayer& layer, int index, const Batch& batch);
  absl::Status Attend(const DeepseekLayer& layer, int index, const Batch& batch);
  absl::Status Absorb(const DeepseekLayer& layer, int tokens);
  absl::Status Expand(const DeepseekLayer& layer, int tokens);
  absl::Status Mlp(const MlpWeights& mlp, const Shape& up, void* out);
  absl::Status Experts(const DeepseekLayer& layer, int tokens);
  absl::Status Head(const Batch& batch);
  /// residual += x (unless x is null); normed_ = rms_norm(residual) * weight
  absl::Status Norm(const void* x, const void* weight, int tokens);
  absl::Status Linear(const void* a, const void* b, void* c, const Shape& shape);
  Buffer Scratch(std::int64_t rows, std::int64_t width) const;

  const DeepseekWeights& weights_;
  const DeepseekConfig& config_;
  const DType dtype_;
  const Backend& backend_;
  KvArena& arena_;
  Stream& stream_;

  Buffer residual_;                      // [tokens][hidden]
  Buffer normed_;                        // [tokens][hidden]
  Buffer branch_;                        // [tokens][hidden] what attention or the MLP adds
  Buffer query_low_;                     // [tokens][q_lora]
  Buffer query_low_normed_;              // [tokens][q_lora]
  Buffer query_;                         // [tokens][heads][nope + rope]
  Buffer kv_;                            // [tokens][latent + rope]
  Buffer absorbed_;                      // [tokens][heads][latent + rope]
  Buffer attended_;                      // [tokens][heads][latent]
  Buffer values_;                        // [tokens][heads][v]
  Buffer gate_up_;                       // [tokens][2 * widest inter]
  Buffer activated_;                     // [tokens][widest inter]
  Buffer last_;                          // [sequences][hidden] rows that sample
  Buffer last_branch_;                   // [sequences][hidden]
  Buffer last_normed_;                   // [sequences][hidden]
  std::unique_ptr<float[]> router_;      // [tokens][experts]
  std::unique_ptr<float[]> gate_;        // [tokens][top_k] weights of the chosen experts
  std::unique_ptr<std::int32_t[]> ids_;  // [tokens][top_k] chosen experts
  std::unique_ptr<float[]> shared_;      // [tokens][hidden] of the shared experts
  std::unique_ptr<float[]> logits_;      // [sequences][vocab]
};

}  // namespace baton
