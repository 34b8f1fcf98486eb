#include "engine/model/deepseek.h"

#include <algorithm>
#include <cstring>

#include "base/status.h"

namespace baton {
namespace {

// Of the low-rank norms, whatever rms_norm_eps says: the checkpoints were trained so.
constexpr float kLowRankEpsilon = 1e-6F;

std::size_t Count(std::int64_t rows, std::int64_t width) {
  return static_cast<std::size_t>(rows * width);
}

// Copies rows `rows` of `from` together.
void Gather(const std::vector<std::int32_t>& rows, std::size_t row_bytes, const std::byte* from,
            std::byte* to) {
  for (const std::int32_t row : rows) {
    std::memcpy(to, from + static_cast<std::size_t>(row) * row_bytes, row_bytes);
    to += row_bytes;
  }
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
      stream_(stream) {
  const std::int64_t tokens = limits.tokens;
  const std::int64_t heads = config_.num_heads;
  const int inter = std::max(config_.dense_inter, config_.shared_inter);
  residual_ = Scratch(tokens, config_.hidden);
  normed_ = Scratch(tokens, config_.hidden);
  branch_ = Scratch(tokens, config_.hidden);
  query_low_ = Scratch(tokens, config_.q_lora_dim);
  query_low_normed_ = Scratch(tokens, config_.q_lora_dim);
  query_ = Scratch(tokens, heads * config_.QueryDim());
  kv_ = Scratch(tokens, config_.CacheDim());
  absorbed_ = Scratch(tokens, heads * config_.CacheDim());
  attended_ = Scratch(tokens, heads * config_.latent_dim);
  values_ = Scratch(tokens, heads * config_.v_dim);
  gate_up_ = Scratch(tokens, 2 * std::int64_t{inter});
  activated_ = Scratch(tokens, inter);
  last_ = Scratch(limits.sequences, config_.hidden);
  last_branch_ = Scratch(limits.sequences, config_.hidden);
  last_normed_ = Scratch(limits.sequences, config_.hidden);
  logits_ = std::make_unique_for_overwrite<float[]>(Count(limits.sequences, config_.vocab_size));
  if (config_.experts == 0) return;
  router_ = std::make_unique_for_overwrite<float[]>(Count(tokens, config_.experts));
  gate_ = std::make_unique_for_overwrite<float[]>(Count(tokens, config_.top_k));
  ids_ = std::make_unique_for_overwrite<std::int32_t[]>(Count(tokens, config_.top_k));
  if (config_.shared_inter > 0)
    shared_ = std::make_unique_for_overwrite<float[]>(Count(tokens, config_.hidden));
}

// Not touched before a batch is as large: what no step has needed takes no memory.
DeepseekForward::Buffer DeepseekForward::Scratch(std::int64_t rows, std::int64_t width) const {
  return std::make_unique_for_overwrite<std::byte[]>(Count(rows, width) * BytesOf(dtype_));
}

absl::Status DeepseekForward::Run(const Batch& batch,
                                  absl::FunctionRef<void(int layer)> layer_done) {
  const int tokens = batch.tokens();
  EmbedParams embed;
  embed.tokens = tokens;
  embed.hidden = config_.hidden;
  embed.table_dtype = dtype_;
  embed.activation = dtype_;
  embed.ids = batch.ids.data();
  embed.table = weights_.embed;
  embed.out = residual_.get();
  BATON_RETURN_IF_ERROR(backend_.embed(embed, stream_));
  const void* added = nullptr;  // what the layer before has not yet added to the residual
  for (int index = 0; index < config_.num_layers; ++index) {
    const DeepseekLayer& layer = weights_.layers[static_cast<std::size_t>(index)];
    BATON_RETURN_IF_ERROR(Norm(added, layer.input_norm, tokens));
    BATON_RETURN_IF_ERROR(Queries(layer, tokens));
    BATON_RETURN_IF_ERROR(Append(layer, index, batch));
    layer_done(index);
    BATON_RETURN_IF_ERROR(Attend(layer, index, batch));
    BATON_RETURN_IF_ERROR(Norm(branch_.get(), layer.post_norm, tokens));
    if (layer.router != nullptr) {
      BATON_RETURN_IF_ERROR(Experts(layer, tokens));
    } else {
      BATON_RETURN_IF_ERROR(
          Mlp(layer.mlp, {tokens, config_.dense_inter, config_.hidden, dtype_}, branch_.get()));
    }
    added = branch_.get();
  }
  return Head(batch);
}

absl::Status DeepseekForward::Norm(const void* x, const void* weight, int tokens) {
  RmsNormParams norm;
  norm.rows = tokens;
  norm.dim = config_.hidden;
  norm.epsilon = config_.rms_epsilon;
  norm.activation = dtype_;
  norm.weight_dtype = dtype_;
  norm.x = x;
  norm.residual = residual_.get();
  norm.weight = weight;
  norm.out = normed_.get();
  return backend_.rms_norm(norm, stream_);
}

absl::Status DeepseekForward::Linear(const void* a, const void* b, void* c, const Shape& shape) {
  GemmParams gemm;
  gemm.m = shape.m;
  gemm.n = shape.n;
  gemm.k = shape.k;
  gemm.a_dtype = dtype_;
  gemm.b_dtype = dtype_;
  gemm.c_dtype = shape.c_dtype;
  gemm.a = a;
  gemm.b = b;
  gemm.c = c;
  gemm.c_row_stride = shape.c_row_stride;
  return backend_.gemm(gemm, stream_);
}

// query_ = the heads' queries, through the low rank where the model has one.
absl::Status DeepseekForward::Queries(const DeepseekLayer& layer, int tokens) {
  const int width = config_.num_heads * config_.QueryDim();
  if (layer.query != nullptr) {
    return Linear(normed_.get(), layer.query, query_.get(),
                  {tokens, width, config_.hidden, dtype_});
  }
  BATON_RETURN_IF_ERROR(Linear(normed_.get(), layer.query_a, query_low_.get(),
                               {tokens, config_.q_lora_dim, config_.hidden, dtype_}));
  RmsNormParams norm;
  norm.rows = tokens;
  norm.dim = config_.q_lora_dim;
  norm.epsilon = kLowRankEpsilon;
  norm.activation = dtype_;
  norm.weight_dtype = dtype_;
  norm.residual = query_low_.get();
  norm.weight = layer.query_a_norm;
  norm.out = query_low_normed_.get();
  BATON_RETURN_IF_ERROR(backend_.rms_norm(norm, stream_));
  return Linear(query_low_normed_.get(), layer.query_b, query_.get(),
                {tokens, width, config_.q_lora_dim, dtype_});
}

// The batch's rows of the cache, and the rope parts of absorbed_.
absl::Status DeepseekForward::Append(const DeepseekLayer& layer, int index, const Batch& batch) {
  const int tokens = batch.tokens();
  BATON_RETURN_IF_ERROR(Linear(normed_.get(), layer.kv_a, kv_.get(),
                               {tokens, config_.CacheDim(), config_.hidden, dtype_}));
  MlaAppendParams append;
  append.tokens = tokens;
  append.num_heads = config_.num_heads;
  append.nope_dim = config_.nope_dim;
  append.rope_dim = config_.rope_dim;
  append.latent_dim = config_.latent_dim;
  append.tokens_per_page = arena_.layout().tokens_per_page;
  append.epsilon = kLowRankEpsilon;
  append.activation = dtype_;
  append.weight_dtype = dtype_;
  append.cache_dtype = arena_.layout().dtype;
  append.kv = kv_.get();
  append.q = query_.get();
  append.latent_weight = layer.kv_a_norm;
  append.cos = weights_.rope.cos.data();
  append.sin = weights_.rope.sin.data();
  append.positions = batch.positions.data();
  append.slots = batch.slots.data();
  append.pages = arena_.base() + arena_.layout().OffsetOf(PageId{0}, index);
  append.page_stride_bytes = arena_.layout().PageBytes();
  append.query = absorbed_.get();
  return backend_.mla_append(append, stream_);
}

// branch_ = what attention adds.
absl::Status DeepseekForward::Attend(const DeepseekLayer& layer, int index, const Batch& batch) {
  const int tokens = batch.tokens();
  BATON_RETURN_IF_ERROR(Absorb(layer, tokens));
  MlaDecodeParams attend;
  attend.sequences = batch.sequences();
  attend.num_heads = config_.num_heads;
  attend.latent_dim = config_.latent_dim;
  attend.rope_dim = config_.rope_dim;
  attend.tokens_per_page = arena_.layout().tokens_per_page;
  attend.softmax_scale = weights_.softmax_scale;
  attend.activation = dtype_;
  attend.cache_dtype = arena_.layout().dtype;
  attend.row_starts = batch.row_starts.data();
  attend.lengths = batch.lengths.data();
  attend.block_table = batch.block_table.data();
  attend.max_pages = batch.max_pages;
  attend.query = absorbed_.get();
  attend.pages = arena_.base() + arena_.layout().OffsetOf(PageId{0}, index);
  attend.page_stride_bytes = arena_.layout().PageBytes();
  attend.output = attended_.get();
  BATON_RETURN_IF_ERROR(backend_.mla_decode(attend, stream_));
  BATON_RETURN_IF_ERROR(Expand(layer, tokens));
  return Linear(values_.get(), layer.out, branch_.get(),
                {tokens, config_.hidden, config_.num_heads * config_.v_dim, dtype_});
}

// The latent parts of absorbed_: each head's query times its key projection.
absl::Status DeepseekForward::Absorb(const DeepseekLayer& layer, int tokens) {
  GemmParams gemm;
  gemm.m = tokens;
  gemm.n = config_.latent_dim;
  gemm.k = config_.nope_dim;
  gemm.batch = config_.num_heads;
  gemm.a_dtype = gemm.b_dtype = gemm.c_dtype = dtype_;
  gemm.a = query_.get();
  gemm.a_row_stride = std::int64_t{config_.num_heads} * config_.QueryDim();
  gemm.a_batch_stride = config_.QueryDim();
  gemm.b = layer.key_up_transposed;
  gemm.b_batch_stride = std::int64_t{config_.latent_dim} * config_.nope_dim;
  gemm.c = absorbed_.get();
  gemm.c_row_stride = std::int64_t{config_.num_heads} * config_.CacheDim();
  gemm.c_batch_stride = config_.CacheDim();
  return backend_.gemm(gemm, stream_);
}

// values_ = each head's attended latent times its value projection.
absl::Status DeepseekForward::Expand(const DeepseekLayer& layer, int tokens) {
  GemmParams gemm;
  gemm.m = tokens;
  gemm.n = config_.v_dim;
  gemm.k = config_.latent_dim;
  gemm.batch = config_.num_heads;
  gemm.a_dtype = gemm.b_dtype = gemm.c_dtype = dtype_;
  gemm.a = attended_.get();
  gemm.a_row_stride = std::int64_t{config_.num_heads} * config_.latent_dim;
  gemm.a_batch_stride = config_.latent_dim;
  gemm.b = layer.value_up;
  gemm.b_batch_stride = std::int64_t{config_.nope_dim + config_.v_dim} * config_.latent_dim;
  gemm.c = values_.get();
  gemm.c_row_stride = std::int64_t{config_.num_heads} * config_.v_dim;
  gemm.c_batch_stride = config_.v_dim;
  return backend_.gemm(gemm, stream_);
}

// out = down(silu(gate x) * up x) in up.c_dtype; `up` is the shape of the first two products.
absl::Status DeepseekForward::Mlp(const MlpWeights& mlp, const Shape& up, void* out) {
  const int inter = up.n;
  const Shape half = {up.m, inter, up.k, dtype_, 2 * std::int64_t{inter}};
  std::byte* second = gate_up_.get() + static_cast<std::size_t>(inter) * BytesOf(dtype_);
  BATON_RETURN_IF_ERROR(Linear(normed_.get(), mlp.gate, gate_up_.get(), half));
  BATON_RETURN_IF_ERROR(Linear(normed_.get(), mlp.up, second, half));
  SiluMulParams silu;
  silu.tokens = up.m;
  silu.inter = inter;
  silu.activation = dtype_;
  silu.gate_up = gate_up_.get();
  silu.out = activated_.get();
  BATON_RETURN_IF_ERROR(backend_.silu_mul(silu, stream_));
  return Linear(activated_.get(), mlp.down, out, {up.m, up.k, inter, up.c_dtype});
}

// branch_ = the chosen experts' and the shared experts' sum.
absl::Status DeepseekForward::Experts(const DeepseekLayer& layer, int tokens) {
  BATON_RETURN_IF_ERROR(Linear(normed_.get(), layer.router, router_.get(),
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
  route.ids = ids_.get();
  route.weights = gate_.get();
  BATON_RETURN_IF_ERROR(backend_.route_experts(route, stream_));
  if (config_.shared_inter > 0) {
    const Shape up = {tokens, config_.shared_inter, config_.hidden, DType::kF32};
    BATON_RETURN_IF_ERROR(Mlp(layer.mlp, up, shared_.get()));
  }
  ExpertFfnParams ffn;
  ffn.tokens = tokens;
  ffn.hidden = config_.hidden;
  ffn.inter = config_.expert_inter;
  ffn.experts = config_.experts;
  ffn.top_k = config_.top_k;
  ffn.activation = dtype_;
  ffn.weight_dtype = dtype_;
  ffn.x = normed_.get();
  ffn.ids = ids_.get();
  ffn.weights = gate_.get();
  ffn.gate = layer.expert_gate.data();
  ffn.up = layer.expert_up.data();
  ffn.down = layer.expert_down.data();
  ffn.shared = shared_.get();
  ffn.out = branch_.get();
  return backend_.expert_ffn(ffn, stream_);
}

// Logits of the rows that sample, and of no others.
absl::Status DeepseekForward::Head(const Batch& batch) {
  const int rows = static_cast<int>(batch.sample_rows.size());
  if (rows == 0) return absl::OkStatus();
  const std::size_t row_bytes = static_cast<std::size_t>(config_.hidden) * BytesOf(dtype_);
  Gather(batch.sample_rows, row_bytes, residual_.get(), last_.get());
  Gather(batch.sample_rows, row_bytes, branch_.get(), last_branch_.get());
  RmsNormParams norm;
  norm.rows = rows;
  norm.dim = config_.hidden;
  norm.epsilon = config_.rms_epsilon;
  norm.activation = dtype_;
  norm.weight_dtype = dtype_;
  norm.x = last_branch_.get();
  norm.residual = last_.get();
  norm.weight = weights_.norm;
  norm.out = last_normed_.get();
  BATON_RETURN_IF_ERROR(backend_.rms_norm(norm, stream_));
  return Linear(last_normed_.get(), weights_.head, logits_.get(),
                {rows, config_.vocab_size, config_.hidden, DType::kF32});
}

const float* DeepseekForward::Logits(int i) const {
  return logits_.get() + Count(i, config_.vocab_size);
}

}  // namespace baton
