// A Llama-like model's tensors, found by name and brought into the one element type that the
// forward pass computes in, and its rotary tables.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/model/architecture.h"
#include "engine/model/decoder_parts.h"
#include "engine/model/llama_config.h"
#include "engine/model/rope.h"
#include "engine/model/weight_binder.h"

namespace baton {

/// All pointers are to LlamaWeights::dtype.
struct LlamaLayer {
  const void* input_norm = nullptr;  // [hidden]
  LinearWeights query;               // [heads * head_dim][hidden]
  LinearWeights key;                 // [kv_heads * head_dim][hidden]
  LinearWeights value;               // [kv_heads * head_dim][hidden]
  const void* query_norm = nullptr;  // [head_dim], or null: not normalised
  const void* key_norm = nullptr;    // [head_dim], or null
  LinearWeights out;                 // [hidden][heads * head_dim]
  const void* post_norm = nullptr;   // [hidden]
  MlpWeights mlp;
};

struct LlamaWeights : ModelWeights {
  std::unique_ptr<Forward> NewForward(const Backend& backend, KvArena& arena, Stream& stream,
                                      const BatchLimits& limits) const override;

  LlamaConfig config;
  DType dtype = DType::kBf16;
  const void* embed = nullptr;  // [vocab][hidden]
  const void* norm = nullptr;   // [hidden]
  const void* head = nullptr;   // [vocab][hidden]; the embedding when they are tied
  std::vector<LlamaLayer> layers;
  RopeTables rope;

  std::unique_ptr<const WeightSource> source;  // what the pointers above point into,
  WeightBuffers converted;                     // unless they had to be converted
};

/// As Architecture::Bind.
absl::StatusOr<std::unique_ptr<const LlamaWeights>> BindLlamaWeights(
    const LlamaConfig& config, std::unique_ptr<const WeightSource> source,
    const BindOptions& options);

/// Every tensor of a checkpoint, in the order of the layers. A tied head may be stored all the
/// same; it is not read.
std::vector<WeightSpec> LlamaWeightSpecs(const LlamaConfig& config);

}  // namespace baton
