// Avx512Vec on a machine that multiplies pairs of bf16: twice the products a cycle of fp32.
// Include only from *_avx512_bf16.cc.
#pragma once

#include "kernels/cpu/vec_avx512.h"

namespace baton {

struct Avx512Bf16Vec : Avx512Vec {
  BATON_INLINE static V MultiplyAddPairs(V left, V right, V sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(left),
                            reinterpret_cast<__m512bh>(right));
  }
  /// from[0 .. min(count, 32)), zeros beyond.
  BATON_INLINE static V LoadPairs(const std::uint16_t* from, int count) {
    const __mmask32 some = count >= 32 ? 0xffffffffU : (1U << static_cast<unsigned>(count)) - 1U;
    return _mm512_castsi512_ps(_mm512_maskz_loadu_epi16(some, from));
  }
  /// Lane i: even[i] and odd[i] as a pair, zeros where one has no such element.
  BATON_INLINE static V Interleave(const std::uint16_t* even, int evens, const std::uint16_t* odd,
                                   int odds) {
    const __m512i low = _mm512_cvtepu16_epi32(LoadWords(even, evens));
    const __m512i high = _mm512_cvtepu16_epi32(LoadWords(odd, odds));
    return _mm512_castsi512_ps(_mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
  BATON_INLINE static __m256i LoadWords(const std::uint16_t* from, int count) {
    return _mm256_maskz_loadu_epi16(count >= kLanes ? __mmask16{0xffff} : First(count), from);
  }
};

}  // namespace baton
