// The inner loop of everything: kRows rows times kTileVecs vectors of columns, held in registers.
// Each output element is one chain of fused multiply-adds over ascending k in a lane of its own, so
// its bits depend neither on how many rows stand beside it nor on the level's width.
//
// Per step: kTileVecs loads, kRows broadcasts, kRows * kTileVecs fused multiply-adds.
#pragma once

#include <cstdint>

#include "kernels/cpu/inline.h"

namespace baton {

template <class A>
inline constexpr int kPanelWidth = A::kTileVecs* A::kLanes;

/// A panel product's operands: row r of the left side at left + r * left_stride, step k
/// of the right side at right + k * right_stride, kPanelWidth columns wide.
struct TileOperands {
  const float* left = nullptr;
  std::int64_t left_stride = 0;
  const float* right = nullptr;
  std::int64_t right_stride = 0;
  int steps = 0;
};

template <class A, int kRows>
struct RowTile {
  typename A::V sums[kRows][A::kTileVecs];

  BATON_INLINE void Clear() {
    BATON_UNROLL
    for (int r = 0; r < kRows; ++r) {
      BATON_UNROLL
      for (int v = 0; v < A::kTileVecs; ++v) sums[r][v] = A::Set(0.0F);
    }
  }

  BATON_INLINE void Load(const float* from, std::int64_t stride) {
    BATON_UNROLL
    for (int r = 0; r < kRows; ++r) {
      BATON_UNROLL
      for (int v = 0; v < A::kTileVecs; ++v) {
        sums[r][v] = A::Load(from + r * stride + v * A::kLanes);
      }
    }
  }

  BATON_INLINE void Store(float* to, std::int64_t stride) const {
    BATON_UNROLL
    for (int r = 0; r < kRows; ++r) {
      BATON_UNROLL
      for (int v = 0; v < A::kTileVecs; ++v) {
        A::Store(to + r * stride + v * A::kLanes, sums[r][v]);
      }
    }
  }

  /// Row r times factors[r].
  BATON_INLINE void Scale(const float* factors) {
    BATON_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const typename A::V factor = A::Set(factors[r]);
      BATON_UNROLL
      for (int v = 0; v < A::kTileVecs; ++v) sums[r][v] = A::Mul(sums[r][v], factor);
    }
  }

  BATON_INLINE void Accumulate(const TileOperands& in) {
    const float* right = in.right;
    for (int k = 0; k < in.steps; ++k, right += in.right_stride) {
      typename A::V columns[A::kTileVecs];
      BATON_UNROLL
      for (int v = 0; v < A::kTileVecs; ++v) columns[v] = A::Load(right + v * A::kLanes);
      BATON_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const typename A::V value = A::Set(in.left[r * in.left_stride + k]);
        BATON_UNROLL
        for (int v = 0; v < A::kTileVecs; ++v) {
          sums[r][v] = A::Fma(value, columns[v], sums[r][v]);
        }
      }
    }
  }
};

template <int kRows>
struct RowCount {
  static constexpr int kValue = kRows;
};

template <int kRows, class Body>
BATON_INLINE void LastRows(int rows, int first, const Body& body) {
  if (rows == kRows) return body(RowCount<kRows>{}, first);
  if constexpr (kRows > 1) LastRows<kRows - 1>(rows, first, body);
}

/// body(RowCount<n>{}, first) over [0, rows) in tiles of A::kTileRows and one smaller at the end.
template <class A, class Body>
BATON_INLINE void ForRowTiles(int rows, const Body& body) {
  int first = 0;
  for (; first + A::kTileRows <= rows; first += A::kTileRows) {
    body(RowCount<A::kTileRows>{}, first);
  }
  if constexpr (A::kTileRows > 1) LastRows<A::kTileRows - 1>(rows - first, first, body);
}

/// A row length in floats, >= count, of an odd number of cache lines: rows below each other then
/// fall into different sets of the cache.
BATON_INLINE int OddLines(int count) {
  constexpr int kFloatsALine = 16;
  return ((count + kFloatsALine - 1) / kFloatsALine | 1) * kFloatsALine;
}

}  // namespace baton
