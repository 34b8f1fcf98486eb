// What every leaf needs over a vector type: elements of any type in and out, reductions in one
// fixed tree, and exp. A lane's result depends on that lane alone, and a tail is the same
// instructions under a mask, so a value's bits never depend on where it stands.
//
// `A` is Avx2Vec or Avx512Vec.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "base/dtype.h"
#include "kernels/cpu/inline.h"

namespace baton {

template <DType kType>
struct TypeTag {
  static constexpr DType kValue = kType;
};

/// body(TypeTag<type>): a branch on the type once, outside the loop.
template <class Body>
BATON_INLINE void WithType(DType type, const Body& body) {
  if (type == DType::kF32) return body(TypeTag<DType::kF32>{});
  if (type == DType::kBf16) return body(TypeTag<DType::kBf16>{});
  body(TypeTag<DType::kF16>{});
}

/// from[index .. index + min(count, 16)), zeros beyond.
template <class A, DType kType>
BATON_INLINE typename A::V LoadAs(const void* from, std::int64_t index, int count) {
  const bool whole = count >= A::kLanes;
  if constexpr (kType == DType::kF32) {
    const float* at = static_cast<const float*>(from) + index;
    return whole ? A::Load(at) : A::LoadFirst(at, count);
  } else {
    const auto* at = static_cast<const std::uint16_t*>(from) + index;
    if constexpr (kType == DType::kBf16) {
      return whole ? A::LoadBf16(at) : A::LoadBf16First(at, count);
    } else {
      return whole ? A::LoadHalf(at) : A::LoadHalfFirst(at, count);
    }
  }
}

/// to[index .. index + min(count, 16)) = v, rounded once.
template <class A>
BATON_INLINE void StoreAs(void* to, DType type, std::int64_t index, typename A::V v, int count) {
  const bool whole = count >= A::kLanes;
  if (type == DType::kF32) {
    float* at = static_cast<float*>(to) + index;
    return whole ? A::Store(at, v) : A::StoreFirst(at, v, count);
  }
  std::uint16_t* at = static_cast<std::uint16_t*>(to) + index;
  if (type == DType::kBf16) return whole ? A::StoreBf16(at, v) : A::StoreBf16First(at, v, count);
  return whole ? A::StoreHalf(at, v) : A::StoreHalfFirst(at, v, count);
}

/// Lanes i and i + 8, then i + 4, i + 2, i + 1.
template <class A>
BATON_INLINE float SumLanes(typename A::V v) {
  const __m256 eight = _mm256_add_ps(A::Low(v), A::High(v));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

template <class A>
BATON_INLINE float MaxLane(typename A::V v) {
  const __m256 eight = _mm256_max_ps(A::Low(v), A::High(v));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/// e^x, clamped to [2^-126, 2^127]; exactly 1 at 0. x = n ln 2 + r with |r| <= ln 2 / 2, then the
/// Taylor polynomial of degree 7 in r: its first missing term is below 2^-27 of the result.
template <class A>
BATON_INLINE typename A::V Exp(typename A::V x) {
  using V = typename A::V;
  constexpr float kMin = -87.33F;
  constexpr float kMax = 88.02F;
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693147182F;     // nearest; fused, so that n * kLn2High is exact
  constexpr float kLn2Low = -1.90465421e-09F;  // ln 2 - kLn2High
  const V clamped = A::Min(A::Max(x, A::Set(kMin)), A::Set(kMax));
  const V n = A::RoundEven(A::Mul(clamped, A::Set(kLog2E)));
  const V high = A::Fma(n, A::Set(-kLn2High), clamped);
  const V r = A::Fma(n, A::Set(-kLn2Low), high);
  V sum = A::Set(1.0F / 5040.0F);
  sum = A::Fma(sum, r, A::Set(1.0F / 720.0F));
  sum = A::Fma(sum, r, A::Set(1.0F / 120.0F));
  sum = A::Fma(sum, r, A::Set(1.0F / 24.0F));
  sum = A::Fma(sum, r, A::Set(1.0F / 6.0F));
  sum = A::Fma(sum, r, A::Set(0.5F));
  sum = A::Fma(sum, r, A::Set(1.0F));
  sum = A::Fma(sum, r, A::Set(1.0F));
  return A::ScaleByPowerOfTwo(sum, n);
}

/// gate / (1 + e^-gate) * up
template <class A>
BATON_INLINE typename A::V SiluMul(typename A::V gate, typename A::V up) {
  const typename A::V growth = Exp<A>(A::Sub(A::Set(0.0F), gate));
  return A::Mul(A::Div(gate, A::Add(A::Set(1.0F), growth)), up);
}

template <class A>
BATON_INLINE void WidenRow(const void* from, DType type, float* to, int count) {
  WithType(type, [&](auto tag) {
    for (int i = 0; i < count; i += A::kLanes) {
      StoreAs<A>(to, DType::kF32, i, LoadAs<A, decltype(tag)::kValue>(from, i, count - i),
                 count - i);
    }
  });
}

template <class A>
BATON_INLINE void NarrowRow(const float* from, void* to, DType type, int count) {
  for (int i = 0; i < count; i += A::kLanes) {
    StoreAs<A>(to, type, i, LoadAs<A, DType::kF32>(from, i, count - i), count - i);
  }
}

}  // namespace baton
