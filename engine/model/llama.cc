#include "engine/model/llama.h"

#include <cmath>

#include "base/status.h"
#include "engine/model/paged_params.h"

namespace baton {

std::unique_ptr<Forward> LlamaWeights::NewForward(const Backend& backend, KvArena& arena,
                                                  Stream& stream, const BatchLimits& limits) const {
  return std::make_unique<LlamaForward>(*this, backend, arena, stream, limits);
}

LlamaForward::LlamaForward(const LlamaWeights& weights, const Backend& backend, KvArena& arena,
                           Stream& stream, const BatchLimits& limits)
    : weights_(weights),
      config_(weights.config),
      backend_(backend),
      arena_(arena),
      stream_(stream),
      parts_(weights.config,
             {.inter = weights.config.inter,
              .dtype = weights.dtype,
              .embed = weights.embed,
              .norm = weights.norm,
              .head = weights.head},
             backend, stream, limits) {
  const std::int64_t dim = config_.HeadDim();
  query_ = parts_.Scratch(limits.tokens, config_.num_heads * dim);
  key_ = parts_.Scratch(limits.tokens, config_.kv_heads * dim);
  value_ = parts_.Scratch(limits.tokens, config_.kv_heads * dim);
  attended_ = parts_.Scratch(limits.tokens, config_.num_heads * dim);
}

absl::Status LlamaForward::Run(const Batch& batch, absl::FunctionRef<void(int layer)> layer_done) {
  const int tokens = batch.tokens();
  BATON_RETURN_IF_ERROR(parts_.Embed(batch));
  for (int index = 0; index < config_.num_layers; ++index) {
    const LlamaLayer& layer = weights_.layers[static_cast<std::size_t>(index)];
    BATON_RETURN_IF_ERROR(parts_.Norm(layer.input_norm, tokens));
    BATON_RETURN_IF_ERROR(Append(layer, index, batch));
    layer_done(index);
    BATON_RETURN_IF_ERROR(Attend(layer, index, batch));
    BATON_RETURN_IF_ERROR(parts_.Norm(layer.post_norm, tokens));
    BATON_RETURN_IF_ERROR(parts_.Mlp(
        layer.mlp, {tokens, config_.inter, config_.hidden, weights_.dtype}, parts_.branch()));
  }
  return parts_.Head(batch.sample_rows);
}

// The batch's rows of the cache, and query_ made ready for it.
absl::Status LlamaForward::Append(const LlamaLayer& layer, int index, const Batch& batch) {
  const int tokens = batch.tokens();
  const DType dtype = weights_.dtype;
  const int dim = config_.HeadDim();
  const LinearShape query = {tokens, config_.num_heads * dim, config_.hidden, dtype};
  const LinearShape key = {tokens, config_.kv_heads * dim, config_.hidden, dtype};
  const void* x = parts_.normed();
  BATON_RETURN_IF_ERROR(parts_.Linear(x, layer.query, query_.get(), query));
  BATON_RETURN_IF_ERROR(parts_.Linear(x, layer.key, key_.get(), key));
  BATON_RETURN_IF_ERROR(parts_.Linear(x, layer.value, value_.get(), key));
  auto append = AppendParams<GqaAppendParams>({arena_, index, dtype}, batch, weights_.rope);
  append.num_heads = config_.num_heads;
  append.kv_heads = config_.kv_heads;
  append.head_dim = dim;
  append.epsilon = config_.rms_epsilon;
  append.q = query_.get();
  append.k = key_.get();
  append.v = value_.get();
  append.q_weight = layer.query_norm;
  append.k_weight = layer.key_norm;
  append.query = query_.get();
  return backend_.gqa_append(append, stream_);
}

// branch = what attention adds.
absl::Status LlamaForward::Attend(const LlamaLayer& layer, int index, const Batch& batch) {
  const int dim = config_.HeadDim();
  auto attend = AttendParams<GqaDecodeParams>({arena_, index, weights_.dtype}, batch);
  attend.num_heads = config_.num_heads;
  attend.kv_heads = config_.kv_heads;
  attend.head_dim = dim;
  attend.softmax_scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
  attend.query = query_.get();
  attend.output = attended_.get();
  BATON_RETURN_IF_ERROR(backend_.gqa_decode(attend, stream_));
  return parts_.Linear(attended_.get(), layer.out, parts_.branch(),
                       {batch.tokens(), config_.hidden, config_.num_heads * dim, weights_.dtype});
}

}  // namespace baton
