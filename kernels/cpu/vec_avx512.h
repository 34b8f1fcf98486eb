// Sixteen fp32 lanes in one AVX-512 register. Has the same members as Avx2Vec, so that every leaf
// is written once. Include only from *_avx512.cc.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/cpu/inline.h"

namespace baton {

struct Avx512Vec {
  using V = __m512;
  static constexpr int kLanes = 16;
  // 8 x 2 accumulators, 2 of weights and 1 broadcast out of 32 registers; 8 divides head counts.
  static constexpr int kTileRows = 8;
  static constexpr int kTileVecs = 2;

  BATON_INLINE static __mmask16 First(int count) {
    return static_cast<__mmask16>((1U << static_cast<unsigned>(count)) - 1U);
  }
  BATON_INLINE static V Set(float value) { return _mm512_set1_ps(value); }
  BATON_INLINE static V Load(const float* from) { return _mm512_loadu_ps(from); }
  BATON_INLINE static V LoadFirst(const float* from, int count) {
    return _mm512_maskz_loadu_ps(First(count), from);
  }
  BATON_INLINE static V FromBf16(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }
  BATON_INLINE static V LoadBf16(const std::uint16_t* from) {
    return FromBf16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  BATON_INLINE static V LoadBf16First(const std::uint16_t* from, int count) {
    return FromBf16(_mm256_maskz_loadu_epi16(First(count), from));
  }
  BATON_INLINE static V LoadHalf(const std::uint16_t* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  BATON_INLINE static V LoadHalfFirst(const std::uint16_t* from, int count) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(First(count), from));
  }
  // e4m3 without its NaN: the bits of an fp16 that is 2^8 too small, sign and subnormals included.
  BATON_INLINE static V FromE4m3(__m128i codes) {
    const __m256i words = _mm256_cvtepu8_epi16(codes);
    const __m256i sign = _mm256_slli_epi16(_mm256_and_si256(words, _mm256_set1_epi16(0x80)), 8);
    const __m256i rest = _mm256_slli_epi16(_mm256_and_si256(words, _mm256_set1_epi16(0x7f)), 7);
    return Mul(_mm512_cvtph_ps(_mm256_or_si256(sign, rest)), Set(256.0F));
  }
  BATON_INLINE static V LoadE4m3(const std::uint8_t* from) {
    return FromE4m3(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  BATON_INLINE static V LoadE4m3First(const std::uint8_t* from, int count) {
    return FromE4m3(_mm_maskz_loadu_epi8(First(count), from));
  }
  BATON_INLINE static void Store(float* to, V v) { _mm512_storeu_ps(to, v); }
  BATON_INLINE static void StoreFirst(float* to, V v, int count) {
    _mm512_mask_storeu_ps(to, First(count), v);
  }
  // Round to nearest even; NaN keeps its upper bits and becomes quiet.
  BATON_INLINE static __m256i ToBf16(V v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    const __m512i chosen = _mm512_mask_mov_epi32(rounded, nan, quiet);
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(chosen, 16));
  }
  BATON_INLINE static void StoreBf16(std::uint16_t* to, V v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), ToBf16(v));
  }
  BATON_INLINE static void StoreBf16First(std::uint16_t* to, V v, int count) {
    _mm256_mask_storeu_epi16(to, First(count), ToBf16(v));
  }

  // Round to nearest even; NaN becomes quiet, overflow infinity.
  BATON_INLINE static __m256i ToHalf(V v) {
    return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  BATON_INLINE static void StoreHalf(std::uint16_t* to, V v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), ToHalf(v));
  }
  BATON_INLINE static void StoreHalfFirst(std::uint16_t* to, V v, int count) {
    _mm256_mask_storeu_epi16(to, First(count), ToHalf(v));
  }

  BATON_INLINE static V Fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  BATON_INLINE static V Add(V a, V b) { return _mm512_add_ps(a, b); }
  BATON_INLINE static V Sub(V a, V b) { return _mm512_sub_ps(a, b); }
  BATON_INLINE static V Mul(V a, V b) { return _mm512_mul_ps(a, b); }
  BATON_INLINE static V Div(V a, V b) { return _mm512_div_ps(a, b); }
  BATON_INLINE static V Max(V a, V b) { return _mm512_max_ps(a, b); }
  BATON_INLINE static V Min(V a, V b) { return _mm512_min_ps(a, b); }
  BATON_INLINE static V RoundEven(V v) {
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  /// v * 2^n, n a whole number such that the result is normal.
  BATON_INLINE static V ScaleByPowerOfTwo(V v, V n) {
    const __m512i shift = _mm512_slli_epi32(_mm512_cvtps_epi32(n), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(v), shift));
  }
  /// Lanes below `count` from `a`, the others from `b`.
  BATON_INLINE static V SelectFirst(int count, V a, V b) {
    return _mm512_mask_mov_ps(b, First(count), a);
  }
  /// Lanes 2 i and 2 i + 1 exchanged.
  BATON_INLINE static V SwapPairs(V v) { return _mm512_permute_ps(v, 0xb1); }
  /// from[0], from[0], from[1], from[1], ... of eight.
  BATON_INLINE static V TwiceEach(const float* from) {
    const __m512i places = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
    return _mm512_permutexvar_ps(places, _mm512_castps256_ps512(_mm256_loadu_ps(from)));
  }
  /// Even lanes negated.
  BATON_INLINE static V MinusPlus(V v) {
    return _mm512_mask_sub_ps(v, __mmask16{0x5555}, _mm512_setzero_ps(), v);
  }
  /// The lower and upper eight lanes.
  BATON_INLINE static __m256 Low(V v) { return _mm512_castps512_ps256(v); }
  BATON_INLINE static __m256 High(V v) { return _mm512_extractf32x8_ps(v, 1); }

  /// rows[i][j] <-> rows[j][i]
  BATON_INLINE static void Transpose(V (&rows)[16]) {
    V pairs[16];
    BATON_UNROLL
    for (int i = 0; i < 16; i += 2) {
      pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
      pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
    }
    V quads[16];
    BATON_UNROLL
    for (int i = 0; i < 16; i += 4) {
      BATON_UNROLL
      for (int j = 0; j < 2; ++j) {
        const __m512d a = _mm512_castps_pd(pairs[i + j]);
        const __m512d b = _mm512_castps_pd(pairs[i + j + 2]);
        quads[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
        quads[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
      }
    }
    // quads[4 q + j] holds, in 128-bit block b, column 4 b + j of rows 4 q .. 4 q + 3.
    BATON_UNROLL
    for (int j = 0; j < 4; ++j) {
      const V even_low = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0x88);
      const V odd_low = _mm512_shuffle_f32x4(quads[j], quads[4 + j], 0xdd);
      const V even_high = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0x88);
      const V odd_high = _mm512_shuffle_f32x4(quads[8 + j], quads[12 + j], 0xdd);
      rows[j] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
      rows[4 + j] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
      rows[8 + j] = _mm512_shuffle_f32x4(even_low, even_high, 0xdd);
      rows[12 + j] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xdd);
    }
  }
};

}  // namespace baton
