// Pages of fp8: e4m3 values in planes of their own, and one fp32 scale for each block of a token's
// values, so that no calibration is needed. What is not quantised (the rotary part of a latent row)
// stays bf16, in a third plane.
//
//   latents  [token][latent] e4m3, [token][rope] bf16, [token][scale] fp32, a scale 128 values
//   heads    of each head's keys, then values: [token][head_dim] e4m3, [token] fp32
//
// Plain loops: quantising rounds to nearest, ties to even, so that a row's bytes depend on that row
// alone and are the same on every machine.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/common/float_bits.h"

namespace baton {

/// Latent values that share a scale; the last block of a row may be shorter.
inline constexpr int kFp8Block = 128;
inline constexpr float kE4m3Max = 448.0F;

/// Of `count` values in a row of blocks of `block`.
constexpr int Fp8Scales(int count, int block) { return (count + block - 1) / block; }

/// Where the parts of a layer of a page of latents begin.
struct Fp8LatentPage {
  int tokens_per_page = 0;
  int latent_dim = 0;
  int rope_dim = 0;

  constexpr std::size_t RopeBytes() const {
    return static_cast<std::size_t>(rope_dim) * sizeof(std::uint16_t);
  }
  constexpr std::size_t ScaleBytes() const {
    return static_cast<std::size_t>(Fp8Scales(latent_dim, kFp8Block)) * sizeof(float);
  }
  constexpr std::size_t RopeOffset() const {
    return static_cast<std::size_t>(tokens_per_page) * static_cast<std::size_t>(latent_dim);
  }
  constexpr std::size_t ScaleOffset() const {
    return RopeOffset() + static_cast<std::size_t>(tokens_per_page) * RopeBytes();
  }
};

/// One head's keys, or values, in a layer of a page.
struct Fp8HeadPlane {
  int tokens_per_page = 0;
  int head_dim = 0;

  constexpr std::size_t ScaleOffset() const {
    return static_cast<std::size_t>(tokens_per_page) * static_cast<std::size_t>(head_dim);
  }
  constexpr std::size_t Bytes() const {
    return ScaleOffset() + static_cast<std::size_t>(tokens_per_page) * sizeof(float);
  }
};

/// Nearest e4m3, ties to even; |value| <= 448 (a quotient by its block's scale). NaN stays NaN.
inline std::uint8_t FloatToE4m3(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint8_t>((bits >> 24) & 0x80U);
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  if (magnitude > 0x7f800000U) return static_cast<std::uint8_t>(sign | 0x7fU);
  if (magnitude >= 0x43e00000U) return static_cast<std::uint8_t>(sign | 0x7eU);  // 448 and above
  if (magnitude < 0x3c800000U) {  // below 2^-6: the sum with 2^14 rounds to multiples of 2^-9
    const float shifted = std::bit_cast<float>(magnitude) + 16384.0F;
    return static_cast<std::uint8_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x46800000U));
  }
  const std::uint32_t rounded = magnitude + 0x7ffffU + ((magnitude >> 20) & 1U);
  return static_cast<std::uint8_t>(sign | ((rounded >> 20) - (120U << 3)));
}

/// The scale of a block: its largest magnitude becomes 448; 1 for a block of zeros; NaN where a
/// value is not finite, so that damage is not hidden.
inline float Fp8ScaleOf(const float* values, int count) {
  float largest = 0;
  for (int i = 0; i < count; ++i) {
    const float magnitude = std::abs(values[i]);
    if (!std::isfinite(magnitude)) return std::bit_cast<float>(0x7fc00000U);
    largest = magnitude > largest ? magnitude : largest;
  }
  const float scale = largest / kE4m3Max;  // 0 also where all values are next to nothing
  return scale > 0 ? scale : 1.0F;
}

/// values[0 .. count) to e4m3 at `to`, and their common scale to `scale`, which need not be
/// aligned.
inline void QuantizeFp8Block(const float* values, int count, std::byte* to, std::byte* scale) {
  const float divisor = Fp8ScaleOf(values, count);
  std::memcpy(scale, &divisor, sizeof divisor);
  for (int i = 0; i < count; ++i) to[i] = static_cast<std::byte>(FloatToE4m3(values[i] / divisor));
}

/// An e4m3 value times the scale at `scale`.
inline float WidenFp8(std::byte code, const std::byte* scale) {
  float factor = 0;
  std::memcpy(&factor, scale, sizeof factor);
  return E4m3ToFloat(static_cast<std::uint8_t>(code)) * factor;
}

/// Element `i` of a token's row [latent | rope] in a layer of a page.
inline float LoadFp8Latent(const Fp8LatentPage& page, const std::byte* layer, int token, int i) {
  const auto t = static_cast<std::size_t>(token);
  if (i < page.latent_dim) {
    const std::byte* scales = layer + page.ScaleOffset() + t * page.ScaleBytes();
    const std::byte* row = layer + t * static_cast<std::size_t>(page.latent_dim);
    return WidenFp8(row[i], scales + static_cast<std::size_t>(i / kFp8Block) * sizeof(float));
  }
  std::uint16_t bits = 0;
  const auto element = static_cast<std::size_t>(i - page.latent_dim) * sizeof bits;
  std::memcpy(&bits, layer + page.RopeOffset() + t * page.RopeBytes() + element, sizeof bits);
  return Bf16ToFloat(bits);
}

/// Element `i` of a token's vector in a head's plane.
inline float LoadFp8Head(const Fp8HeadPlane& head, const std::byte* plane, int token, int i) {
  const auto t = static_cast<std::size_t>(token);
  const std::byte* row = plane + t * static_cast<std::size_t>(head.head_dim);
  return WidenFp8(row[i], plane + head.ScaleOffset() + t * sizeof(float));
}

}  // namespace baton
