// The forward pass of the Llama-like families: from token ids to logits, over whatever Backend it
// is given.
//
//   embed -> { norm -> q, k, v -> (norm of heads) -> rotate -> attention -> norm -> MLP } x layers
//         -> norm -> head
//
// Source: Llama 3 (arXiv 2407.21783) section 3.2; Qwen2.5 (arXiv 2412.15115) section 2; Qwen3
// (arXiv 2505.09388) section 2.
#pragma once

#include <cstdint>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "engine/model/architecture.h"
#include "engine/model/decoder_parts.h"
#include "engine/model/llama_weights.h"

namespace baton {

/// Thread: one. Scratch memory for the largest batch is allocated by the constructor.
class LlamaForward : public Forward {
 public:
  /// All of these outlive it.
  LlamaForward(const LlamaWeights& weights, const Backend& backend, KvArena& arena, Stream& stream,
               const BatchLimits& limits);

  absl::Status Run(const Batch& batch, absl::FunctionRef<void(int layer)> layer_done) override;
  absl::Status Head(std::span<const std::int32_t> rows) override { return parts_.Head(rows); }
  const float* Logits(int i) const override { return parts_.Logits(i); }

 private:
  absl::Status Append(const LlamaLayer& layer, int index, const Batch& batch);
  absl::Status Attend(const LlamaLayer& layer, int index, const Batch& batch);

  const LlamaWeights& weights_;
  const LlamaConfig& config_;
  const Backend& backend_;
  KvArena& arena_;
  Stream& stream_;
  DecoderParts parts_;

  Buffer query_;     // [tokens][heads][head_dim], rotated in place
  Buffer key_;       // [tokens][kv_heads][head_dim]
  Buffer value_;     // [tokens][kv_heads][head_dim]
  Buffer attended_;  // [tokens][heads][head_dim]
};

}  // namespace baton
