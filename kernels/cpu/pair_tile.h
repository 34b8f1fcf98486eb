// The inner loop of products of pairs with rows in the lanes: kColumns rows of weights (or of
// keys), broadcast pair by pair from where they stand, times kVecs panels of as many rows as lanes.
// One lane an output, pairs in ascending order.
//
// Per step of two: kVecs loads, kColumns broadcasts, kColumns * kVecs products of pairs.
#pragma once

#include <cstdint>

#include "kernels/cpu/inline.h"
#include "kernels/cpu/level.h"

namespace baton {

/// What one tile multiplies.
struct PairTileOperands {
  const float* panels = nullptr;  // [panel][units of K][lanes]
  std::int64_t panel_stride = 0;  // units
  const std::uint16_t* columns = nullptr;
  std::int64_t column_stride = 0;  // elements
  int k = 0;
};

template <class A, int kColumns, int kVecs>
struct PairTile {
  using V = typename A::V;

  V sums[kColumns][kVecs];

  BATON_INLINE void Run(const PairTileOperands& in) {
    BATON_UNROLL
    for (int c = 0; c < kColumns; ++c) {
      BATON_UNROLL
      for (int v = 0; v < kVecs; ++v) sums[c][v] = A::Set(0.0F);
    }
    const int whole = in.k / 2;
    // The columns below are one run of memory: they are asked for in the order in which they lie
    // there, which memory and the second-level cache's own looking ahead serve best, a little each
    // step. Past the last column nothing is read, only asked for.
    const std::uint16_t* ahead = in.columns + kColumns * in.column_stride;
    for (int step = 0; step < whole; ++step) {
      A::PrefetchFar(ahead + 2 * kColumns * step);
      Add(in, step,
          [&](int c) { return A::BroadcastPair(in.columns + c * in.column_stride + 2 * step); });
    }
    // K is odd: the pair's other half is zero.
    if (in.k % 2 == 0) return;
    Add(in, whole,
        [&](int c) { return A::BroadcastHalfPair(in.columns[c * in.column_stride + in.k - 1]); });
  }

  /// to[column][row], `stride` floats between columns.
  BATON_INLINE void Store(float* to, std::int64_t stride) const {
    BATON_UNROLL
    for (int c = 0; c < kColumns; ++c) {
      BATON_UNROLL
      for (int v = 0; v < kVecs; ++v) A::Store(to + c * stride + v * A::kLanes, sums[c][v]);
    }
  }

 private:
  template <class PairOf>
  BATON_INLINE void Add(const PairTileOperands& in, int step, const PairOf& pair_of) {
    V rows[kVecs];
    BATON_UNROLL
    for (int v = 0; v < kVecs; ++v) {
      rows[v] = A::Load(in.panels + v * in.panel_stride + step * A::kLanes);
    }
    BATON_UNROLL
    for (int c = 0; c < kColumns; ++c) {
      const V pair = pair_of(c);
      BATON_UNROLL
      for (int v = 0; v < kVecs; ++v) sums[c][v] = A::MultiplyAddPairs(rows[v], pair, sums[c][v]);
    }
  }
};

/// Tiles of kColumns over [0, columns), stored at to + column * stride. The last one reaches back
/// over columns that are done, which get the same sums again.
template <class A, int kColumns, int kVecs>
void RunPairTiles(PairTileOperands in, int columns, float* to, std::int64_t stride) {
  const std::uint16_t* const first = in.columns;
  const auto run = [&]<int kWidth>(int column) BATON_INLINE_LAMBDA {
    in.columns = first + column * in.column_stride;
    PairTile<A, kWidth, kVecs> tile;
    tile.Run(in);
    tile.Store(to + column * stride, stride);
  };
  if (columns < kColumns) {
    for (int column = 0; column < columns; ++column) run.template operator()<1>(column);
    return;
  }
  for (int column = 0; column < columns; column += kColumns) {
    const int last = columns - kColumns;
    run.template operator()<kColumns>(column < last ? column : last);
  }
}

/// Up to 16 rows of bf16, turned into a panel.
template <class A>
void PackPairRows(const PackPairsJob& job) {
  using V = typename A::V;
  const int steps = (job.k + 1) / 2;
  for (int step = 0; step < steps; step += A::kLanes) {
    V rows[A::kLanes];
    BATON_UNROLL
    for (int i = 0; i < A::kLanes; ++i) {
      rows[i] =
          i < job.rows ? A::LoadPairs(job.from[i] + 2 * step, job.k - 2 * step) : A::Set(0.0F);
    }
    A::Transpose(rows);
    BATON_UNROLL
    for (int i = 0; i < A::kLanes; ++i) {
      if (step + i >= steps) break;
      float* to = job.to + (step + i) * job.lanes;
      job.lanes == A::kLanes ? A::Store(to, rows[i]) : A::StoreFirst(to, rows[i], job.lanes);
    }
  }
}

}  // namespace baton
