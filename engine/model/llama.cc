#include "engine/model/llama.h"

#include <cmath>

#include "base/status.h"

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
  GqaAppendParams append;
  append.tokens = tokens;
  append.num_heads = config_.num_heads;
  append.kv_heads = config_.kv_heads;
  append.head_dim = dim;
  append.tokens_per_page = arena_.layout().tokens_per_page;
  append.epsilon = config_.rms_epsilon;
  append.activation = dtype;
  append.weight_dtype = dtype;
  append.cache_dtype = arena_.layout().dtype;
  append.q = query_.get();
  append.k = key_.get();
  append.v = value_.get();
  append.q_weight = layer.query_norm;
  append.k_weight = layer.key_norm;
  append.cos = weights_.rope.cos.data();
  append.sin = weights_.rope.sin.data();
  append.positions = batch.positions.data();
  append.slots = batch.slots.data();
  append.pages = arena_.base() + arena_.layout().OffsetOf(PageId{0}, index);
  append.page_stride_bytes = arena_.layout().PageBytes();
  append.query = query_.get();
  return backend_.gqa_append(append, stream_);
}

// branch = what attention adds.
absl::Status LlamaForward::Attend(const LlamaLayer& layer, int index, const Batch& batch) {
  const int dim = config_.HeadDim();
  GqaDecodeParams attend;
  attend.sequences = batch.sequences();
  attend.num_heads = config_.num_heads;
  attend.kv_heads = config_.kv_heads;
  attend.head_dim = dim;
  attend.tokens_per_page = arena_.layout().tokens_per_page;
  attend.softmax_scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
  attend.activation = weights_.dtype;
  attend.cache_dtype = arena_.layout().dtype;
  attend.row_starts = batch.row_starts.data();
  attend.lengths = batch.lengths.data();
  attend.block_table = batch.block_table.data();
  attend.max_pages = batch.max_pages;
  attend.query = query_.get();
  attend.pages = arena_.base() + arena_.layout().OffsetOf(PageId{0}, index);
  attend.page_stride_bytes = arena_.layout().PageBytes();
  attend.output = attended_.get();
  BATON_RETURN_IF_ERROR(backend_.gqa_decode(attend, stream_));
  return parts_.Linear(attended_.get(), layer.out, parts_.branch(),
                       {batch.tokens(), config_.hidden, config_.num_heads * dim, weights_.dtype});
}

}  // namespace baton
