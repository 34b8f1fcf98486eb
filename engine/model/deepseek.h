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
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "engine/model/architecture.h"
#include "engine/model/batch.h"
#include "engine/model/decoder_parts.h"
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
  absl::Status Head(std::span<const std::int32_t> rows) override { return parts_.Head(rows); }
  const float* Logits(int i) const override { return parts_.Logits(i); }

 private:
  /// Of each head its own: [m][k] times [n][k], transposed, gives [m][n]. Heads lie side by side in
  /// the rows of a and c, `a_width` and `c_width` numbers each, and one after the other in b,
  /// `b_rows` rows each.
  struct HeadProduct {
    int m, n, k;
    const void* a;
    int a_width;
    const void* b;
    int b_rows;
    void* c;
    int c_width;
  };

  absl::Status Queries(const DeepseekLayer& layer, int tokens);
  absl::Status Append(const DeepseekLayer& layer, int index, const Batch& batch);
  absl::Status Attend(const DeepseekLayer& layer, int index, const Batch& batch);
  absl::Status Absorb(const DeepseekLayer& layer, int tokens);
  absl::Status Expand(const DeepseekLayer& layer, int tokens);
  absl::Status PerHead(const HeadProduct& product);
  absl::Status Experts(const DeepseekLayer& layer, int tokens);

  const DeepseekWeights& weights_;
  const DeepseekConfig& config_;
  const DType dtype_;
  const Backend& backend_;
  KvArena& arena_;
  Stream& stream_;
  DecoderParts parts_;

  Buffer query_low_;                     // [tokens][q_lora]
  Buffer query_low_normed_;              // [tokens][q_lora]
  Buffer query_;                         // [tokens][heads][nope + rope]
  Buffer kv_;                            // [tokens][latent + rope]
  Buffer absorbed_;                      // [tokens][heads][latent + rope]
  Buffer attended_;                      // [tokens][heads][latent]
  Buffer values_;                        // [tokens][heads][v]
  std::unique_ptr<float[]> router_;      // [tokens][experts]
  std::unique_ptr<float[]> gate_;        // [tokens][top_k] weights of the chosen experts
  std::unique_ptr<std::int32_t[]> ids_;  // [tokens][top_k] chosen experts
  std::unique_ptr<float[]> shared_;      // [tokens][hidden] of the shared experts
};

}  // namespace baton
