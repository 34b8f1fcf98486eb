#include "engine/model/decoder_parts.h"

#include <cstring>

#include "base/check.h"
#include "base/status.h"

namespace baton {
namespace {

// Copies rows `rows` of `from` together.
void Gather(std::span<const std::int32_t> rows, std::size_t row_bytes, const std::byte* from,
            std::byte* to) {
  for (const std::int32_t row : rows) {
    std::memcpy(to, from + static_cast<std::size_t>(row) * row_bytes, row_bytes);
    to += row_bytes;
  }
}

}  // namespace

DecoderParts::DecoderParts(const ModelShape& shape, const DecoderOptions& options,
                           const Backend& backend, Stream& stream, const BatchLimits& limits)
    : shape_(shape),
      options_(options),
      backend_(backend),
      stream_(stream),
      logit_rows_(limits.LogitRows()) {
  const std::int64_t tokens = limits.tokens;
  residual_ = Scratch(tokens, shape.hidden);
  normed_ = Scratch(tokens, shape.hidden);
  branch_ = Scratch(tokens, shape.hidden);
  gate_up_ = Scratch(tokens, 2 * std::int64_t{options.inter});
  activated_ = Scratch(tokens, options.inter);
  last_ = Scratch(logit_rows_, shape.hidden);
  last_branch_ = Scratch(logit_rows_, shape.hidden);
  last_normed_ = Scratch(logit_rows_, shape.hidden);
  const auto logits = static_cast<std::size_t>(std::int64_t{logit_rows_} * shape.vocab_size);
  logits_ = std::make_unique_for_overwrite<float[]>(logits);
}

Buffer DecoderParts::Scratch(std::int64_t rows, std::int64_t width) const {
  const auto elements = static_cast<std::size_t>(rows * width);
  return std::make_unique_for_overwrite<std::byte[]>(elements * BytesOf(options_.dtype));
}

absl::Status DecoderParts::Embed(const Batch& batch) {
  EmbedParams embed;
  embed.tokens = batch.tokens();
  embed.hidden = shape_.hidden;
  embed.table_dtype = options_.dtype;
  embed.activation = options_.dtype;
  embed.ids = batch.ids.data();
  embed.table = options_.embed;
  embed.out = residual_.get();
  added_ = false;
  return backend_.embed(embed, stream_);
}

absl::Status DecoderParts::Norm(const void* weight, int tokens) {
  const std::byte* added = added_ ? branch_.get() : nullptr;
  added_ = true;
  return RmsNorm({tokens, shape_.hidden, shape_.rms_epsilon}, added, residual_.get(), weight,
                 normed_.get());
}

absl::Status DecoderParts::RmsNorm(const NormShape& shape, const void* x, void* residual,
                                   const void* weight, void* out) {
  RmsNormParams norm;
  norm.rows = shape.rows;
  norm.dim = shape.dim;
  norm.epsilon = shape.epsilon;
  norm.activation = options_.dtype;
  norm.weight_dtype = options_.dtype;
  norm.x = x;
  norm.residual = residual;
  norm.weight = weight;
  norm.out = out;
  return backend_.rms_norm(norm, stream_);
}

absl::Status DecoderParts::Linear(const void* a, LinearWeights b, void* c,
                                  const LinearShape& shape) {
  GemmParams gemm;
  gemm.m = shape.m;
  gemm.n = shape.n;
  gemm.k = shape.k;
  gemm.a_dtype = options_.dtype;
  gemm.b_dtype = options_.dtype;
  gemm.c_dtype = shape.c_dtype;
  gemm.a = a;
  gemm.b = b.weight;
  gemm.bias = b.bias;
  gemm.c = c;
  gemm.c_row_stride = shape.c_row_stride;
  return backend_.gemm(gemm, stream_);
}

absl::Status DecoderParts::Mlp(const MlpWeights& mlp, const LinearShape& up, void* out) {
  const int inter = up.n;
  const DType dtype = options_.dtype;
  const LinearShape half = {up.m, inter, up.k, dtype, 2 * std::int64_t{inter}};
  std::byte* second = gate_up_.get() + static_cast<std::size_t>(inter) * BytesOf(dtype);
  BATON_RETURN_IF_ERROR(Linear(normed_.get(), {mlp.gate}, gate_up_.get(), half));
  BATON_RETURN_IF_ERROR(Linear(normed_.get(), {mlp.up}, second, half));
  SiluMulParams silu;
  silu.tokens = up.m;
  silu.inter = inter;
  silu.activation = dtype;
  silu.gate_up = gate_up_.get();
  silu.out = activated_.get();
  BATON_RETURN_IF_ERROR(backend_.silu_mul(silu, stream_));
  return Linear(activated_.get(), {mlp.down}, out, {up.m, up.k, inter, up.c_dtype});
}

absl::Status DecoderParts::Head(std::span<const std::int32_t> which) {
  const int rows = static_cast<int>(which.size());
  if (rows == 0) return absl::OkStatus();
  BATON_CHECK(rows <= logit_rows_);
  const std::size_t row_bytes = static_cast<std::size_t>(shape_.hidden) * BytesOf(options_.dtype);
  Gather(which, row_bytes, residual_.get(), last_.get());
  Gather(which, row_bytes, branch_.get(), last_branch_.get());
  BATON_RETURN_IF_ERROR(RmsNorm({rows, shape_.hidden, shape_.rms_epsilon}, last_branch_.get(),
                                last_.get(), options_.norm, last_normed_.get()));
  return Linear(last_normed_.get(), {options_.head}, logits_.get(),
                {rows, shape_.vocab_size, shape_.hidden, DType::kF32});
}

const float* DecoderParts::Logits(int i) const {
  return logits_.get() + static_cast<std::size_t>(std::int64_t{i} * shape_.vocab_size);
}

}  // namespace baton
