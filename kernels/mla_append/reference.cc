#include <cmath>

#include "base/status.h"
#include "kernels/common/elements.h"
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

void AppendKey(const MlaAppendParams& params, int token) {
  const PageGeometry geometry{
      .tokens_per_page = params.tokens_per_page,
      .page_stride_bytes = params.page_stride_bytes,
      .token_bytes = static_cast<std::size_t>(params.latent_dim + params.rope_dim) *
                     BytesOf(params.cache_dtype)};
  std::byte* row = params.pages + geometry.OffsetOfSlot(params.slots[token]);
  const std::int64_t kv = std::int64_t{token} * (params.latent_dim + params.rope_dim);
  double squares = 0;
  for (int i = 0; i < params.latent_dim; ++i) {
    const double value = LoadElement(params.kv, params.activation, kv + i);
    squares += value * value;
  }
  const auto scale =
      static_cast<float>(1.0 / std::sqrt(squares / params.latent_dim + params.epsilon));
  for (int i = 0; i < params.latent_dim; ++i) {
    const float value = LoadElement(params.kv, params.activation, kv + i);
    const float weight = LoadElement(params.latent_weight, params.weight_dtype, i);
    StoreElement(row, params.cache_dtype, i, value * scale * weight);
  }
  Rotate(params, token,
         {.from = params.kv,
          .from_index = kv + params.latent_dim,
          .to = row,
          .to_type = params.cache_dtype,
          .to_index = params.latent_dim});
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
  stream.ParallelFor(params.tokens, [&params](int first, int last) {
    for (int token = first; token < last; ++token) {
      if (params.slots[token] >= 0) AppendKey(params, token);
      RotateQueries(params, token);
    }
  });
  return absl::OkStatus();
}

}  // namespace baton
