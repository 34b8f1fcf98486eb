#include <immintrin.h>

#include "tests/bench/burn.h"

namespace baton::bench {

// Twelve independent chains: latency 4-5 at two a cycle needs ten.
double BurnFmaAvx2(int rounds) {
  constexpr int kChains = 12;
  __m256 sums[kChains];
  for (__m256& sum : sums) sum = _mm256_set1_ps(1.0F);
  const __m256 factor = _mm256_set1_ps(0.9999F);
  for (int round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int chain = 0; chain < kChains; ++chain) {
      sums[chain] = _mm256_fmadd_ps(sums[chain], factor, factor);
    }
  }
  __m256 total = sums[0];
  for (int chain = 1; chain < kChains; ++chain) total = _mm256_add_ps(total, sums[chain]);
  // Not taken: keeps the loop from being dropped.
  if (_mm256_cvtss_f32(total) < 0) return 0;
  return 2.0 * 8 * kChains * rounds;
}

float ReadAllAvx2(const float* from, std::int64_t count) {
  __m256 sums[8];
  for (__m256& sum : sums) sum = _mm256_setzero_ps();
  for (std::int64_t i = 0; i + 64 <= count; i += 64) {
#pragma GCC unroll 8
    for (int part = 0; part < 8; ++part) {
      sums[part] = _mm256_add_ps(sums[part], _mm256_load_ps(from + i + part * 8));
    }
  }
  __m256 total = sums[0];
  for (int part = 1; part < 8; ++part) total = _mm256_add_ps(total, sums[part]);
  return _mm256_cvtss_f32(total);
}

}  // namespace baton::bench
