#include "engine/model/deepseek.h"

#include <algorithm>

#include "base/status.h"
#include "engine/model/paged_params.h"

namespace baton {
namespace {

// Of the low-rank norms, whatever rms_norm_eps says: the checkpoints were trained so.
constexpr float kLowRankEpsilon = 1e-6F;

std::size_t Count(std::int64_t rows, std::int64_t width) {
  return static_cast<std::size_t>(rows * width);
}

}  // namespace

std::unique_ptr<Forward> DeepseekWeights::NewForward(const Backend& backend, KvArena& arena,
                                                     Stream& stream,
                                                     const BatchLimits& limits) const {
  return std::make_unique<DeepseekForward>(*this, backend, arena, stream, limits);
}

DeepseekForward::DeepseekForward(const DeepseekWeights& weights, const Backend& backend,
                                 KvArena& arena, Stream& stream, const BatchLimits& limits)
    : weights_(weights),
      config_(weights.config),
      dtype_(weights.dtype),
      backend_(backend),
      arena_(arena),
      stream_(stream),
      parts_(weights.config,
             {.inter = std::max(weights.config.dense_inter, weights.config.shared_inter),
              .dtype = weights.dtype,
              .embed = weights.embed,
              .norm = weights.norm,
              .head = weights.head},
             backend, stream, limits) {
  const std::int64_t tokens = limits.tokens;
  const std::int64_t heads = config_.num_heads;
  query_low_ = parts_.Scratch(tokens, config_.q_lora_dim);
  query_low_normed_ = parts_.Scratch(tokens, config_.q_lora_dim);
  query_ = parts_.Scratch(tokens, heads * config_.QueryDim());
  kv_ = parts_.Scratch(tokens, config_.CacheDim());
  absorbed_ = parts_.Scratch(tokens, heads * config_.CacheDim());
  attended_ = parts_.Scratch(tokens, heads * config_.latent_dim);
  values_ = parts_.Scratch(tokens, heads * config_.v_dim);
  if (config_.experts == 0) return;
  router_ = std::make_unique_for_overwrite<float[]>(Count(tokens, config_.experts));
  gate_ = std::make_unique_for_overwrite<float[]>(Count(tokens, config_.top_k));
  ids_ = std::make_unique_for_overwrite<std::int32_t[]>(Count(tokens, config_.top_k));
  if (config_.shared_inter > 0)
    shared_ = std::make_unique_for_overwrite<float[]>(Count(tokens, config_.hidden));
}

absl::Status DeepseekForward::Run(const Batch& batch,
                                  absl::FunctionRef<void(int layer)> layer_done) {
  const int tokens = batch.tokens();
  BATON_RETURN_IF_ERROR(parts_.Embed(batch));
  for (int index = 0; index < config_.num_layers; ++index) {
    const DeepseekLayer& layer = weights_.layers[static_cast<std::size_t>(index)];
    BATON_RETURN_IF_ERROR(parts_.Norm(layer.input_norm, tokens));
    BATON_RETURN_IF_ERROR(Queries(layer, tokens));
    BATON_RETURN_IF_ERROR(Append(layer, index, batch));
    layer_done(index);
    BATON_RETURN_IF_ERROR(Attend(layer, index, batch));
    BATON_RETURN_IF_ERROR(parts_.Norm(layer.post_norm, tokens));
    if (layer.router != nullptr) {
      BATON_RETURN_IF_ERROR(Experts(layer, tokens));
    } else {
      BATON_RETURN_IF_ERROR(parts_.Mlp(
          layer.mlp, {tokens, config_.dense_inter, config_.hidden, dtype_}, parts_.branch()));
    }
  }
  return parts_.Head(batch.sample_rows);
}

// query_ = the heads' queries, through the low rank where the model has one.
absl::Status DeepseekForward::Queries(const DeepseekLayer& layer, int tokens) {
  const int width = config_.num_heads * config_.QueryDim();
  if (layer.query != nullptr) {
    return parts_.Linear(parts_.normed(), {layer.query}, query_.get(),
                         {tokens, width, config_.hidden, dtype_});
  }
  BATON_RETURN_IF_ERROR(parts_.Linear(parts_.normed(), {layer.query_a}, query_low_.get(),
                                      {tokens, config_.q_lora_dim, config_.hidden, dtype_}));
  BATON_RETURN_IF_ERROR(parts_.RmsNorm({tokens, config_.q_lora_dim, kLowRankEpsilon}, nullptr,
                                       query_low_.get(), layer.query_a_norm,
                                       query_low_normed_.get()));
  return parts_.Linear(query_low_normed_.get(), {layer.query_b}, query_.get(),
                       {tokens, width, config_.q_lora_dim, dtype_});
}

// The batch's rows of the cache, and the rope parts of absorbed_.
absl::Status DeepseekForward::Append(const DeepseekLayer& layer, int index, const Batch& batch) {
  const int tokens = batch.tokens();
  BATON_RETURN_IF_ERROR(parts_.Linear(parts_.normed(), {layer.kv_a}, kv_.get(),
                                      {tokens, config_.CacheDim(), config_.hidden, dtype_}));
  auto append = AppendParams<MlaAppendParams>({arena_, index, dtype_}, batch, weights_.rope);
  append.num_heads = config_.num_heads;
  append.nope_dim = config_.nope_dim;
  append.rope_dim = config_.rope_dim;
  append.latent_dim = config_.latent_dim;
  append.epsilon = kLowRankEpsilon;
  append.kv = kv_.get();
  append.q = query_.get();
  append.latent_weight = layer.kv_a_norm;
  append.query = absorbed_.get();
  return backend_.mla_append(append, stream_);
}

// branch_ = what attention adds.
absl::Status DeepseekForward::Attend(const DeepseekLayer& layer, int index, const Batch& batch) {
  const int tokens = batch.tokens();
  BATON_RETURN_IF_ERROR(Absorb(layer, tokens));
  auto attend = AttendParams<MlaDecodeParams>({arena_, index, dtype_}, batch);
  attend.num_heads = config_.num_heads;
  attend.latent_dim = config_.latent_dim;
  attend.rope_dim = config_.rope_dim;
  attend.softmax_scale = weights_.softmax_scale;
  attend.query = absorbed_.get();
  attend.output = attended_.get();
  BATON_RETURN_IF_ERROR(backend_.mla_decode(attend, stream_));
  BATON_RETURN_IF_ERROR(Expand(layer, tokens));
  return parts_.Linear(values_.get(), {layer.out}, parts_.branch(),
                       {tokens, config_.hidden, config_.num_heads * config_.v_dim, dtype_});
}

// The latent parts of absorbed_: each head's query times its key projection.
absl::Status DeepseekForward::Absorb(const DeepseekLayer& layer, int tokens) {
  return PerHead({.m = tokens,
                  .n = config_.latent_dim,
                  .k = config_.nope_dim,
                  .a = query_.get(),
                  .a_width = config_.QueryDim(),
                  .b = layer.key_up_transposed,
                  .b_rows = config_.latent_dim,
                  .c = absorbed_.get(),
                  .c_width = config_.CacheDim()});
}

// values_ = each head's attended latent times its value projection.
absl::Status DeepseekForward::Expand(const DeepseekLayer& layer, int tokens) {
  return PerHead({.m = tokens,
                  .n = config_.v_dim,
                  .k = config_.latent_dim,
                  .a = attended_.get(),
                  .a_width = config_.latent_dim,
                  .b = layer.value_up,
                  .b_rows = config_.nope_dim + config_.v_dim,
                  .c = values_.get(),
                  .c_width = config_.v_dim});
}

absl::Status DeepseekForward::PerHead(const HeadProduct& product) {
  GemmParams gemm;
  gemm.m = product.m;
  gemm.n = product.n;
  gemm.k = product.k;
  gemm.batch = config_.num_heads;
  gemm.a_dtype = gemm.b_dtype = gemm.c_dtype = dtype_;
  gemm.a = product.a;
  gemm.a_row_stride = std::int64_t{config_.num_heads} * product.a_width;
  gemm.a_batch_stride = product.a_width;
  gemm.b = product.b;
  gemm.b_batch_stride = std::int64_t{product.b_rows} * product.k;
  gemm.c = product.c;
  gemm.c_row_stride = std::int64_t{config_.num_heads} * product.c_width;
  gemm.c_batch_stride = product.c_width;
  return backend_.gemm(gemm, stream_);
}

// branch_ = the chosen experts' and the shared experts' sum.
absl::Status DeepseekForward::Experts(const DeepseekLayer& layer, int tokens) {
  BATON_RETURN_IF_ERROR(parts_.Linear(parts_.normed(), {layer.router}, router_.get(),
                                      {tokens, config_.experts, config_.hidden, DType::kF32}));
  RouteExpertsParams route;
  route.tokens = tokens;
  route.experts = config_.experts;
  route.top_k = config_.top_k;
  route.groups = config_.groups;
  route.top_k_groups = config_.top_k_groups;
  route.method = config_.gate;
  route.normalize = config_.normalize_weights;
  route.scaling_factor = config_.routed_scaling;
  route.logits = router_.get();
  route.bias = layer.router_bias;
  route.ids = ids_.get();
  route.weights = gate_.get();
  BATON_RETURN_IF_ERROR(backend_.route_experts(route, stream_));
  if (config_.shared_inter > 0) {
    const LinearShape up = {tokens, config_.shared_inter, config_.hidden, DType::kF32};
    BATON_RETURN_IF_ERROR(parts_.Mlp(layer.mlp, up, shared_.get()));
  }
  ExpertFfnParams ffn;
  ffn.tokens = tokens;
  ffn.hidden = config_.hidden;
  ffn.inter = config_.expert_inter;
  ffn.experts = config_.experts;
  ffn.top_k = config_.top_k;
  ffn.activation = dtype_;
  ffn.weight_dtype = dtype_;
  ffn.x = parts_.normed();
  ffn.ids = ids_.get();
  ffn.weights = gate_.get();
  ffn.gate = layer.expert_gate.data();
  ffn.up = layer.expert_up.data();
  ffn.down = layer.expert_down.data();
  ffn.shared = shared_.get();
  ffn.out = parts_.branch();
  return backend_.expert_ffn(ffn, stream_);
}

}  // namespace baton
