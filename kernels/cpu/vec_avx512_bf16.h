// Avx512Vec on a machine that multiplies pairs of bf16: twice the products a cycle of fp32.
// Include only from *_avx512_bf16.cc.
#pragma once

#include "kernels/cpu/vec_avx512.h"

namespace baton {

/// What a tile of products needs, in eight lanes.
struct Avx512Bf16Half {
  using V = __m256;
  static constexpr int kLanes = 8;

  BATON_INLINE static V Set(float value) { return _mm256_set1_ps(value); }
  BATON_INLINE static V Load(const float* from) { return _mm256_loadu_ps(from); }
  BATON_INLINE static void Store(float* to, V v) { _mm256_storeu_ps(to, v); }
  BATON_INLINE static V MultiplyAddPairs(V left, V right, V sum) {
    return _mm256_dpbf16_ps(sum, reinterpret_cast<__m256bh>(left),
                            reinterpret_cast<__m256bh>(right));
  }
  BATON_INLINE static V BroadcastPair(const std::uint16_t* from) {
    int pair;
    __builtin_memcpy(&pair, from, sizeof pair);
    return _mm256_castsi256_ps(_mm256_set1_epi32(pair));
  }
  BATON_INLINE static V BroadcastHalfPair(std::uint16_t value) {
    return _mm256_castsi256_ps(_mm256_set1_epi32(value));
  }
  BATON_INLINE static void PrefetchFar(const void* from) { _mm_prefetch(from, _MM_HINT_T1); }
};

struct Avx512Bf16Vec : Avx512Vec {
  using Half = Avx512Bf16Half;

  BATON_INLINE static V MultiplyAddPairs(V left, V right, V sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(left),
                            reinterpret_cast<__m512bh>(right));
  }
  /// from[0 .. min(count, 32)), zeros beyond.
  BATON_INLINE static V LoadPairs(const std::uint16_t* from, int count) {
    const __mmask32 some = count >= 32 ? 0xffffffffU : (1U << static_cast<unsigned>(count)) - 1U;
    return _mm512_castsi512_ps(_mm512_maskz_loadu_epi16(some, from));
  }
  /// The pair at from[0], from[1] in every lane; the address needs no alignment.
  BATON_INLINE static V BroadcastPair(const std::uint16_t* from) {
    int pair;
    __builtin_memcpy(&pair, from, sizeof pair);
    return _mm512_castsi512_ps(_mm512_set1_epi32(pair));
  }
  /// (value, 0) in every lane.
  BATON_INLINE static V BroadcastHalfPair(std::uint16_t value) {
    return _mm512_castsi512_ps(_mm512_set1_epi32(value));
  }
  BATON_INLINE static V LoadWhole(const std::uint16_t* from) {
    return _mm512_loadu_ps(reinterpret_cast<const float*>(from));
  }
  BATON_INLINE static V RoundToBf16(V v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    return _mm512_castsi512_ps(_mm512_and_si512(rounded, _mm512_set1_epi32(-65536)));
  }
  /// Pairs of two vectors that RoundToBf16 gave.
  BATON_INLINE static V JoinPair(V even, V odd) {
    const __m512i low = _mm512_srli_epi32(_mm512_castps_si512(even), 16);
    return _mm512_castsi512_ps(_mm512_or_si512(low, _mm512_castps_si512(odd)));
  }
  /// Pairs (first[i], second[i]) of 32 words each: columns 0-3, 8-11, 16-19, 24-27, and the others.
  BATON_INLINE static V UnpackLow(V first, V second) {
    return _mm512_castsi512_ps(
        _mm512_unpacklo_epi16(_mm512_castps_si512(first), _mm512_castps_si512(second)));
  }
  BATON_INLINE static V UnpackHigh(V first, V second) {
    return _mm512_castsi512_ps(
        _mm512_unpackhi_epi16(_mm512_castps_si512(first), _mm512_castps_si512(second)));
  }
  /// Columns 0-15 and 16-31 of sums over what the unpacks gave.
  BATON_INLINE static V FirstHalf(V low, V high) {
    const V blocks = _mm512_shuffle_f32x4(low, high, 0x44);
    return _mm512_shuffle_f32x4(blocks, blocks, 0xd8);
  }
  BATON_INLINE static V SecondHalf(V low, V high) {
    const V blocks = _mm512_shuffle_f32x4(low, high, 0xee);
    return _mm512_shuffle_f32x4(blocks, blocks, 0xd8);
  }
  /// Lanes where left < right from `a`, the others from `b`.
  BATON_INLINE static V SelectLess(V left, V right, V a, V b) {
    return _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask(left, right, _CMP_LT_OQ), a);
  }
  /// Into the second-level cache.
  BATON_INLINE static void PrefetchFar(const void* from) { _mm_prefetch(from, _MM_HINT_T1); }
};

}  // namespace baton
