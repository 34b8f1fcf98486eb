// Sixteen fp32 lanes in two AVX2 registers, with FMA and F16C. Has the same members as Avx512Vec,
// so that every leaf is written once and both levels give equal bits. Include only from *_avx2.cc.
#pragma once

#include <immintrin.h>

#include <cstdint>
#include <cstring>

#include "kernels/cpu/inline.h"

namespace baton {

struct Avx2Vec {
  struct V {
    __m256 low;
    __m256 high;
  };
  static constexpr int kLanes = 16;
  // 6 x 2 accumulators, 2 of weights and 1 broadcast out of 16 registers.
  static constexpr int kTileRows = 6;
  static constexpr int kTileVecs = 1;

  BATON_INLINE static V Set(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
  BATON_INLINE static V Load(const float* from) {
    return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)};
  }
  BATON_INLINE static V LoadFirst(const float* from, int count) {
    alignas(32) float lanes[16] = {};
    std::memcpy(lanes, from, static_cast<std::size_t>(count) * sizeof(float));
    return Load(lanes);
  }
  BATON_INLINE static __m128i Load8(const std::uint16_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  }
  BATON_INLINE static __m256 FromBf16(__m128i bits) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }
  BATON_INLINE static V LoadBf16(const std::uint16_t* from) {
    return {FromBf16(Load8(from)), FromBf16(Load8(from + 8))};
  }
  BATON_INLINE static V LoadHalf(const std::uint16_t* from) {
    return {_mm256_cvtph_ps(Load8(from)), _mm256_cvtph_ps(Load8(from + 8))};
  }
  BATON_INLINE static V LoadBf16First(const std::uint16_t* from, int count) {
    alignas(32) std::uint16_t lanes[16] = {};
    std::memcpy(lanes, from, static_cast<std::size_t>(count) * sizeof(std::uint16_t));
    return LoadBf16(lanes);
  }
  BATON_INLINE static V LoadHalfFirst(const std::uint16_t* from, int count) {
    alignas(32) std::uint16_t lanes[16] = {};
    std::memcpy(lanes, from, static_cast<std::size_t>(count) * sizeof(std::uint16_t));
    return LoadHalf(lanes);
  }
  // e4m3 without its NaN: the bits of an fp16 that is 2^8 too small, sign and subnormals included.
  BATON_INLINE static V LoadE4m3(const std::uint8_t* from) {
    const __m256i words =
        _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    const __m256i sign = _mm256_slli_epi16(_mm256_and_si256(words, _mm256_set1_epi16(0x80)), 8);
    const __m256i rest = _mm256_slli_epi16(_mm256_and_si256(words, _mm256_set1_epi16(0x7f)), 7);
    const __m256i halves = _mm256_or_si256(sign, rest);
    const V small{_mm256_cvtph_ps(_mm256_castsi256_si128(halves)),
                  _mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1))};
    return Mul(small, Set(256.0F));
  }
  BATON_INLINE static V LoadE4m3First(const std::uint8_t* from, int count) {
    alignas(16) std::uint8_t lanes[16] = {};
    std::memcpy(lanes, from, static_cast<std::size_t>(count));
    return LoadE4m3(lanes);
  }
  BATON_INLINE static void Store(float* to, V v) {
    _mm256_storeu_ps(to, v.low);
    _mm256_storeu_ps(to + 8, v.high);
  }
  BATON_INLINE static void StoreFirst(float* to, V v, int count) {
    alignas(32) float lanes[16];
    Store(lanes, v);
    std::memcpy(to, lanes, static_cast<std::size_t>(count) * sizeof(float));
  }
  // Round to nearest even; NaN keeps its upper bits and becomes quiet.
  BATON_INLINE static __m256i Bf16Words(__m256 v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256 nan = _mm256_cmp_ps(v, v, _CMP_UNORD_Q);
    const __m256 chosen =
        _mm256_blendv_ps(_mm256_castsi256_ps(rounded), _mm256_castsi256_ps(quiet), nan);
    return _mm256_srli_epi32(_mm256_castps_si256(chosen), 16);
  }
  BATON_INLINE static void StoreBf16(std::uint16_t* to, V v) {
    const __m256i packed = _mm256_packus_epi32(Bf16Words(v.low), Bf16Words(v.high));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permute4x64_epi64(packed, 0xd8));
  }
  BATON_INLINE static void StoreBf16First(std::uint16_t* to, V v, int count) {
    alignas(32) std::uint16_t lanes[16];
    StoreBf16(lanes, v);
    std::memcpy(to, lanes, static_cast<std::size_t>(count) * sizeof(std::uint16_t));
  }

  // Round to nearest even; NaN becomes quiet, overflow infinity.
  BATON_INLINE static void StoreHalf(std::uint16_t* to, V v) {
    constexpr int kMode = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtps_ph(v.low, kMode));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 8), _mm256_cvtps_ph(v.high, kMode));
  }
  BATON_INLINE static void StoreHalfFirst(std::uint16_t* to, V v, int count) {
    alignas(32) std::uint16_t lanes[16];
    StoreHalf(lanes, v);
    std::memcpy(to, lanes, static_cast<std::size_t>(count) * sizeof(std::uint16_t));
  }

  BATON_INLINE static V Fma(V a, V b, V c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  BATON_INLINE static V Add(V a, V b) {
    return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
  }
  BATON_INLINE static V Sub(V a, V b) {
    return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
  }
  BATON_INLINE static V Mul(V a, V b) {
    return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
  }
  BATON_INLINE static V Div(V a, V b) {
    return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
  }
  BATON_INLINE static V Max(V a, V b) {
    return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
  }
  BATON_INLINE static V Min(V a, V b) {
    return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
  }
  BATON_INLINE static V RoundEven(V v) {
    constexpr int kMode = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return {_mm256_round_ps(v.low, kMode), _mm256_round_ps(v.high, kMode)};
  }
  BATON_INLINE static __m256 Scale8(__m256 v, __m256 n) {
    const __m256i shift = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(v), shift));
  }
  /// v * 2^n, n a whole number such that the result is normal.
  BATON_INLINE static V ScaleByPowerOfTwo(V v, V n) {
    return {Scale8(v.low, n.low), Scale8(v.high, n.high)};
  }
  /// Lanes below `count` from `a`, the others from `b`.
  BATON_INLINE static V SelectFirst(int count, V a, V b) {
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i low = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), index);
    const __m256i high = _mm256_cmpgt_epi32(_mm256_set1_epi32(count - 8), index);
    return {_mm256_blendv_ps(b.low, a.low, _mm256_castsi256_ps(low)),
            _mm256_blendv_ps(b.high, a.high, _mm256_castsi256_ps(high))};
  }
  /// Lanes 2 i and 2 i + 1 exchanged.
  BATON_INLINE static V SwapPairs(V v) {
    return {_mm256_permute_ps(v.low, 0xb1), _mm256_permute_ps(v.high, 0xb1)};
  }
  /// from[0], from[0], from[1], from[1], ... of eight.
  BATON_INLINE static V TwiceEach(const float* from) {
    const __m256 eight = _mm256_loadu_ps(from);
    return {_mm256_permutevar8x32_ps(eight, _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3)),
            _mm256_permutevar8x32_ps(eight, _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7))};
  }
  /// Even lanes negated.
  BATON_INLINE static V MinusPlus(V v) {
    const __m256 zero = _mm256_setzero_ps();
    return {_mm256_blend_ps(v.low, _mm256_sub_ps(zero, v.low), 0x55),
            _mm256_blend_ps(v.high, _mm256_sub_ps(zero, v.high), 0x55)};
  }
  /// The lower and upper eight lanes.
  BATON_INLINE static __m256 Low(V v) { return v.low; }
  BATON_INLINE static __m256 High(V v) { return v.high; }

  BATON_INLINE static void Transpose8(__m256 (&rows)[8]) {
    __m256 quads[8];
    BATON_UNROLL
    for (int i = 0; i < 8; i += 4) {
      const __m256 low01 = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
      const __m256 high01 = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
      const __m256 low23 = _mm256_unpacklo_ps(rows[i + 2], rows[i + 3]);
      const __m256 high23 = _mm256_unpackhi_ps(rows[i + 2], rows[i + 3]);
      quads[i] = _mm256_shuffle_ps(low01, low23, 0x44);
      quads[i + 1] = _mm256_shuffle_ps(low01, low23, 0xee);
      quads[i + 2] = _mm256_shuffle_ps(high01, high23, 0x44);
      quads[i + 3] = _mm256_shuffle_ps(high01, high23, 0xee);
    }
    BATON_UNROLL
    for (int j = 0; j < 4; ++j) {
      rows[j] = _mm256_permute2f128_ps(quads[j], quads[4 + j], 0x20);
      rows[4 + j] = _mm256_permute2f128_ps(quads[j], quads[4 + j], 0x31);
    }
  }
  /// rows[i][j] <-> rows[j][i]: four blocks of 8 x 8, the two off the diagonal exchanged.
  BATON_INLINE static void Transpose(V (&rows)[16]) {
    __m256 blocks[2][2][8];
    BATON_UNROLL
    for (int i = 0; i < 16; ++i) {
      blocks[i / 8][0][i % 8] = rows[i].low;
      blocks[i / 8][1][i % 8] = rows[i].high;
    }
    for (auto& half : blocks) {
      Transpose8(half[0]);
      Transpose8(half[1]);
    }
    BATON_UNROLL
    for (int i = 0; i < 16; ++i) rows[i] = {blocks[0][i / 8][i % 8], blocks[1][i / 8][i % 8]};
  }
};

}  // namespace baton
