#include <cmath>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/common/fp8_page.h"
#include "kernels/common/page_address.h"
#include "kernels/gqa_append/gqa_append.h"

namespace baton {
namespace {

// One head's vector on its way to where it is stored.
struct HeadMove {
  const void* from = nullptr;
  std::int64_t from_index = 0;
  const void* weight = nullptr;  // null: not normalised
  std::byte* to = nullptr;       // element 0 of the vector
  DType to_type = DType::kBf16;
};

// 1 / rms of the vector.
float ScaleOf(const GqaAppendParams& params, const HeadMove& move) {
  double squares = 0;
  for (int i = 0; i < params.head_dim; ++i) {
    const double value = LoadElement(move.from, params.activation, move.from_index + i);
    squares += value * value;
  }
  return static_cast<float>(1.0 / std::sqrt(squares / params.head_dim + params.epsilon));
}

void Rotate(const GqaAppendParams& params, int token, const HeadMove& move) {
  const int half = params.head_dim / 2;
  const std::int64_t angles = std::int64_t{params.positions[token]} * half;
  const float scale = move.weight != nullptr ? ScaleOf(params, move) : 1.0F;
  const auto value = [&](int i) {
    const float raw = LoadElement(move.from, params.activation, move.from_index + i);
    if (move.weight == nullptr) return raw;
    return raw * scale * LoadElement(move.weight, params.weight_dtype, i);
  };
  for (int pair = 0; pair < half; ++pair) {
    const float cosine = params.cos[angles + pair];
    const float sine = params.sin[angles + pair];
    const float x = value(pair);
    const float y = value(pair + half);
    StoreElement(move.to, move.to_type, pair, x * cosine - y * sine);
    StoreElement(move.to, move.to_type, pair + half, x * sine + y * cosine);
  }
}

// The key and the value of one head of a token: element 0 of each in its page.
struct HeadPlaces {
  std::byte* key = nullptr;
  std::byte* value = nullptr;
};

HeadPlaces PlacesOf(const GqaAppendParams& params, int token, int head, std::size_t plane_bytes) {
  const PageGeometry geometry{
      .tokens_per_page = params.tokens_per_page,
      .page_stride_bytes = params.page_stride_bytes,
      .token_bytes = static_cast<std::size_t>(params.head_dim) * BytesOf(params.cache_dtype)};
  std::byte* key = params.pages + geometry.OffsetOfSlot(params.slots[token]) +
                   static_cast<std::size_t>(head) * plane_bytes;
  return {key, key + static_cast<std::size_t>(params.kv_heads) * plane_bytes};
}

void AppendHead(const GqaAppendParams& params, int token, int head) {
  const std::size_t plane_bytes = static_cast<std::size_t>(params.tokens_per_page) *
                                  static_cast<std::size_t>(params.head_dim) *
                                  BytesOf(params.cache_dtype);
  const HeadPlaces places = PlacesOf(params, token, head, plane_bytes);
  const std::int64_t from = (std::int64_t{token} * params.kv_heads + head) * params.head_dim;
  Rotate(params, token,
         {.from = params.k,
          .from_index = from,
          .weight = params.k_weight,
          .to = places.key,
          .to_type = params.cache_dtype});
  for (int i = 0; i < params.head_dim; ++i) {
    StoreElement(places.value, params.cache_dtype, i,
                 LoadElement(params.v, params.activation, from + i));
  }
}

void AppendFp8Head(const GqaAppendParams& params, int token, int head) {
  const Fp8HeadPlane plane{params.tokens_per_page, params.head_dim};
  const HeadPlaces places = PlacesOf(params, token, head, plane.Bytes());
  // From a token's vector to its scale: past the vectors from its own on, and the scales before.
  const auto place = static_cast<std::size_t>(params.slots[token] % params.tokens_per_page);
  const std::size_t to_scale = plane.ScaleOffset() -
                               place * static_cast<std::size_t>(params.head_dim) +
                               place * sizeof(float);
  const std::int64_t from = (std::int64_t{token} * params.kv_heads + head) * params.head_dim;
  float vector[kGqaHeadDimMax];
  Rotate(params, token,
         {.from = params.k,
          .from_index = from,
          .weight = params.k_weight,
          .to = reinterpret_cast<std::byte*>(vector),
          .to_type = DType::kF32});
  QuantizeFp8Block(vector, params.head_dim, places.key, places.key + to_scale);
  for (int i = 0; i < params.head_dim; ++i) {
    vector[i] = LoadElement(params.v, params.activation, from + i);
  }
  QuantizeFp8Block(vector, params.head_dim, places.value, places.value + to_scale);
}

void RotateQueries(const GqaAppendParams& params, int token) {
  for (int head = 0; head < params.num_heads; ++head) {
    const std::int64_t at = (std::int64_t{token} * params.num_heads + head) * params.head_dim;
    Rotate(params, token,
           {.from = params.q,
            .from_index = at,
            .weight = params.q_weight,
            .to = ElementAt(params.query, params.activation, at),
            .to_type = params.activation});
  }
}

}  // namespace

absl::Status ReferenceGqaAppend(const GqaAppendParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  const auto append = params.cache_dtype == DType::kFp8E4m3 ? AppendFp8Head : AppendHead;
  stream.ParallelFor(params.tokens, [&params, append](int first, int last) {
    for (int token = first; token < last; ++token) {
      RotateQueries(params, token);
      if (params.slots[token] < 0) continue;
      for (int head = 0; head < params.kv_heads; ++head) append(params, token, head);
    }
  });
  return absl::OkStatus();
}

}  // namespace baton
