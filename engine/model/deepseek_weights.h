// A DeepSeek model's tensors, found by name and brought into the one element type that the forward
// pass computes in, plus what follows from them: the transposed key projection of absorbed MLA and
// the rotary tables.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/dtype.h"
#include "engine/model/architecture.h"
#include "engine/model/decoder_parts.h"
#include "engine/model/deepseek_config.h"
#include "engine/model/rope.h"
#include "engine/model/weight_binder.h"
#include "engine/model/weight_source.h"

namespace baton {

/// All pointers are to DeepseekWeights::dtype.
struct DeepseekLayer {
  const void* input_norm = nullptr;         // [hidden]
  const void* query = nullptr;              // [heads * (nope + rope)][hidden], or null: low rank
  const void* query_a = nullptr;            // [q_lora][hidden]
  const void* query_a_norm = nullptr;       // [q_lora]
  const void* query_b = nullptr;            // [heads * (nope + rope)][q_lora]
  const void* kv_a = nullptr;               // [latent + rope][hidden]
  const void* kv_a_norm = nullptr;          // [latent]
  const void* key_up_transposed = nullptr;  // [heads][latent][nope]
  const void* value_up = nullptr;           // head h at h * (nope + v) * latent: [v][latent]
  const void* out = nullptr;                // [hidden][heads * v]
  const void* post_norm = nullptr;          // [hidden]
  MlpWeights mlp;                           // the dense layer's, or of the shared experts
  const void* router = nullptr;             // [experts][hidden]; null: a dense layer
  const float* router_bias = nullptr;       // [experts] fp32 whatever the dtype; kNoAuxTc alone
  std::vector<const void*> expert_gate;     // [experts] pointers to [inter][hidden]
  std::vector<const void*> expert_up;
  std::vector<const void*> expert_down;  // [experts] pointers to [hidden][inter]
};

struct DeepseekWeights : ModelWeights {
  std::unique_ptr<Forward> NewForward(const Backend& backend, KvArena& arena, Stream& stream,
                                      const BatchLimits& limits) const override;

  DeepseekConfig config;
  DType dtype = DType::kBf16;
  const void* embed = nullptr;  // [vocab][hidden]
  const void* norm = nullptr;   // [hidden]
  const void* head = nullptr;   // [vocab][hidden]
  std::vector<DeepseekLayer> layers;
  RopeTables rope;
  float softmax_scale = 0;

  std::unique_ptr<const WeightSource> source;  // what the pointers above point into,
  WeightBuffers converted;                     // unless they had to be converted
};

/// Checks `source` against the table of names and binds every tensor; one that is stored in another
/// type is converted once (weight_binder). `on_bytes` may be null; it is told the stored bytes of
/// each tensor as it is bound.
/// Errors: InvalidArgument names the tensors; ResourceExhausted when memory is short.
absl::StatusOr<std::unique_ptr<const DeepseekWeights>> BindDeepseekWeights(
    const DeepseekConfig& config, DType dtype, std::unique_ptr<const WeightSource> source,
    const std::function<void(std::size_t)>& on_bytes);

}  // namespace baton
