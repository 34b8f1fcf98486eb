// What one step of a product multiplies: a unit of 32 bits, either one fp32 value, or, where the
// machine multiplies pairs of bf16, two neighbouring ones. Everything else about a product (tiles,
// panels, blocks) is the same for both and written once.
//
// Steps are taken in ascending order by one lane an output element. A pair's odd element is added
// first, then its even one, each fused and rounded to nearest even; subnormals count as zero.
#pragma once

#include <cstdint>

#include "kernels/cpu/inline.h"
#include "kernels/cpu/vec_math.h"

namespace baton {

template <class A>
struct FloatUnits {
  using Vec = A;
  using V = typename A::V;
  static constexpr int kElements = 1;

  BATON_INLINE static V MultiplyAdd(V left, V right, V sum) { return A::Fma(left, right, sum); }

  /// Units of from[index ...], of which `count` elements exist.
  template <DType kType>
  BATON_INLINE static V Load(const void* from, std::int64_t index, int count) {
    return LoadAs<A, kType>(from, index, count);
  }
  /// Element `at` and following of a left operand's row; returns what was stored.
  BATON_INLINE static V Put(float* row, int at, V values) {
    A::Store(row + at, values);
    return values;
  }
};

template <class A>
struct PairUnits {
  using Vec = A;
  using V = typename A::V;
  static constexpr int kElements = 2;

  BATON_INLINE static V MultiplyAdd(V left, V right, V sum) {
    return A::MultiplyAddPairs(left, right, sum);
  }

  template <DType kType>
  BATON_INLINE static V Load(const void* from, std::int64_t index, int count) {
    static_assert(kType == DType::kBf16);
    return A::LoadPairs(static_cast<const std::uint16_t*>(from) + index, count);
  }
  BATON_INLINE static V Put(float* row, int at, V values) {
    std::uint16_t* words = reinterpret_cast<std::uint16_t*>(row) + at;
    A::StoreBf16(words, values);
    return A::LoadBf16(words);
  }
};

/// Steps over `elements`; an odd one out has a zero beside it.
template <class Units>
BATON_INLINE int StepsOf(int elements) {
  return (elements + Units::kElements - 1) / Units::kElements;
}

/// body(TypeTag<type>) for the types that Units can load.
template <class Units, class Body>
BATON_INLINE void WithUnitType(DType type, const Body& body) {
  if constexpr (Units::kElements == 2) {
    body(TypeTag<DType::kBf16>{});
  } else {
    WithType(type, body);
  }
}

}  // namespace baton
