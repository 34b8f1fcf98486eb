#include <algorithm>
#include <cmath>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/common/fp8_page.h"
#include "kernels/common/page_address.h"
#include "kernels/mla_append/mla_append.h"

namespace baton {
namespace {

// One vector's rotary part on its way to where it is stored.
struct Rotation {
  const void* from = nullptr;
  std::int64_t from_index = 0;
  void* to = nullptr;
  DType to_type = DType::kBf16;
  std::int64_t to_index = 0;
};

// Interleaved pairs: (x0, x1), (x2, x3)... as DeepSeek's checkpoints.
void Rotate(const MlaAppendParams& params, int token, const Rotation& part) {
  const int half = params.rope_dim / 2;
  const std::int64_t angles = std::int64_t{params.positions[token]} * half;
  for (int pair = 0; pair < half; ++pair) {
    const float cosine = params.cos[angles + pair];
    const float sine = params.sin[angles + pair];
    const float x = LoadElement(part.from, params.activation, part.from_index + 2 * pair);
    const float y = LoadElement(part.from, params.activation, part.from_index + 2 * pair + 1);
    StoreElement(part.to, part.to_type, part.to_index + 2 * pair, x * cosine - y * sine);
    StoreElement(part.to, part.to_type, part.to_index + 2 * pair + 1, x * sine + y * cosine);
  }
}

// 1 / rms of a token's latent.
float LatentScale(const MlaAppendParams& params, std::int64_t kv) {
  double squares = 0;
  for (int i = 0; i < params.latent_dim; ++i) {
    const double value = LoadElement(params.kv, params.activation, kv + i);
    squares += value * value;
  }
  return static_cast<float>(1.0 / std::sqrt(squares / params.latent_dim + params.epsilon));
}

float NormalisedLatent(const MlaAppendParams& params, std::int64_t kv, float scale, int i) {
  const float value = LoadElement(params.kv, params.activation, kv + i);
  return value * scale * LoadElement(params.latent_weight, params.weight_dtype, i);
}

void AppendKey(const MlaAppendParams& params, int token) {
  const PageGeometry geometry{
      .tokens_per_page = params.tokens_per_page,
      .page_stride_bytes = params.page_stride_bytes,
      .token_bytes = static_cast<std::size_t>(params.latent_dim + params.rope_dim) *
                     BytesOf(params.cache_dtype)};
  std::byte* row = params.pages + geometry.OffsetOfSlot(params.slots[token]);
  const std::int64_t kv = std::int64_t{token} * (params.latent_dim + params.rope_dim);
  const float scale = LatentScale(params, kv);
  for (int i = 0; i < params.latent_dim; ++i) {
    StoreElement(row, params.cache_dtype, i, NormalisedLatent(params, kv, scale, i));
  }
  Rotate(params, token,
         {.from = params.kv,
          .from_index = kv + params.latent_dim,
          .to = row,
          .to_type = params.cache_dtype,
          .to_index = params.latent_dim});
}

void AppendFp8Key(const MlaAppendParams& params, int token) {
  const Fp8LatentPage page{params.tokens_per_page, params.latent_dim, params.rope_dim};
  const auto slot = static_cast<std::size_t>(params.slots[token]);
  const auto tokens = static_cast<std::size_t>(params.tokens_per_page);
  std::byte* layer = params.pages + slot / tokens * params.page_stride_bytes;
  const std::size_t place = slot % tokens;
  std::byte* row = layer + place * static_cast<std::size_t>(params.latent_dim);
  std::byte* block_scale = layer + page.ScaleOffset() + place * page.ScaleBytes();
  const std::int64_t kv = std::int64_t{token} * (params.latent_dim + params.rope_dim);
  const float scale = LatentScale(params, kv);
  for (int first = 0; first < params.latent_dim; first += kFp8Block) {
    float block[kFp8Block];
    const int count = std::min(kFp8Block, params.latent_dim - first);
    for (int i = 0; i < count; ++i) block[i] = NormalisedLatent(params, kv, scale, first + i);
    QuantizeFp8Block(block, count, row + first, block_scale);
    block_scale += sizeof(float);
  }
  Rotate(params, token,
         {.from = params.kv,
          .from_index = kv + params.latent_dim,
          .to = layer + page.RopeOffset() + place * page.RopeBytes(),
          .to_type = DType::kBf16});
}

void RotateQueries(const MlaAppendParams& params, int token) {
  for (int head = 0; head < params.num_heads; ++head) {
    const std::int64_t vector = std::int64_t{token} * params.num_heads + head;
    Rotate(params, token,
           {.from = params.q,
            .from_index = vector * (params.nope_dim + params.rope_dim) + params.nope_dim,
            .to = params.query,
            .to_type = params.activation,
            .to_index = vector * (params.latent_dim + params.rope_dim) + params.latent_dim});
  }
}

}  // namespace

absl::Status ReferenceMlaAppend(const MlaAppendParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  const auto append = params.cache_dtype == DType::kFp8E4m3 ? AppendFp8Key : AppendKey;
  stream.ParallelFor(params.tokens, [&params, append](int first, int last) {
    for (int token = first; token < last; ++token) {
      RotateQueries(params, token);
      if (params.slots[token] >= 0) append(params, token);
    }
  });
  return absl::OkStatus();
}

}  // namespace baton
