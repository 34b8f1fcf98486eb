#include <immintrin.h>

#include "tests/bench/burn.h"

namespace baton::bench {

// Twelve independent chains: latency 6 at two a cycle needs twelve.
double BurnPairsAvx512Bf16(int rounds) {
  constexpr int kChains = 12;
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_set1_ps(1.0F);
  // Both elements of a pair are 2^-64: sums stay where they are.
  const __m512bh pair = reinterpret_cast<__m512bh>(_mm512_set1_epi32(0x1f801f80));
  for (int round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int chain = 0; chain < kChains; ++chain) {
      sums[chain] = _mm512_dpbf16_ps(sums[chain], pair, pair);
    }
  }
  __m512 total = sums[0];
  for (int chain = 1; chain < kChains; ++chain) total = _mm512_add_ps(total, sums[chain]);
  // Not taken: keeps the loop from being dropped.
  if (_mm512_cvtss_f32(total) < 0) return 0;
  return 4.0 * 16 * kChains * rounds;
}

}  // namespace baton::bench
