// Products of bf16 by bf16 on a level that multiplies pairs. Weights are read as the checkpoint
// stores them and packed nowhere. Three forms of one chain, so that the number of rows changes no
// bit: element (row, column) is one lane that takes the pairs of K in ascending order.
//
//   few rows   columns of weights are transposed 16 by 16, and each row's pairs are broadcast:
//              what a row costs is the reading of the weights.
//   many rows  16 rows of activations lie in the lanes, and each weight's pair is broadcast from
//              where it stands: nothing of the weights is moved at all.
//   up to 8    the same in half a register: some processors multiply two halves in the time of one
//              whole.
//
// In each, the next tile's weights are asked for while this one runs.
#pragma once

#include <cstdint>

#include "kernels/cpu/level.h"
#include "kernels/cpu/pair_tile.h"
#include "kernels/cpu/vec_math.h"

namespace baton {

template <class A>
class GemmPairs {
 public:
  explicit GemmPairs(const GemmPairsJob& job)
      : job_(job), steps_((job.k + 1) / 2), whole_steps_(job.k / 2) {}

  void Run() {
    if (job_.rows > kFewRowsMax) return RunMany();
    RunFew<kFewRowsMax>();
  }

 private:
  using V = typename A::V;
  static constexpr int kLanes = A::kLanes;
  static constexpr int kGroups = 2;

  template <int kRows>
  BATON_INLINE void RunFew() {
    if (job_.rows == kRows) return Few<kRows>();
    if constexpr (kRows > 1) RunFew<kRows - 1>();
  }

  // Two groups of 16 columns at a time: one row's chain alone would wait for itself.
  template <int kRows>
  void Few() {
    for (int column = 0; column < job_.columns; column += kGroups * kLanes) {
      V sums[kGroups][kRows];
      BATON_UNROLL
      for (int g = 0; g < kGroups; ++g) {
        BATON_UNROLL
        for (int r = 0; r < kRows; ++r) sums[g][r] = A::Set(0.0F);
      }
      int step = 0;
      for (; step + kLanes <= whole_steps_; step += kLanes) {
        BATON_UNROLL
        for (int g = 0; g < kGroups; ++g) Square<kRows, true>(column + g * kLanes, step, sums[g]);
      }
      for (int g = 0; g < kGroups && step < steps_; ++g) {
        Square<kRows, false>(column + g * kLanes, step, sums[g]);
      }
      for (int g = 0; g < kGroups; ++g) {
        for (int r = 0; r < kRows; ++r) Finish(r, column + g * kLanes, sums[g][r]);
      }
    }
  }

  // Sixteen columns by sixteen steps, or the fewer that are left. Columns past the end repeat the
  // last one, never to be stored.
  template <int kRows, bool kWhole>
  BATON_INLINE void Square(int column, int step, V (&sums)[kRows]) {
    V weights[kLanes];
    BATON_UNROLL
    for (int i = 0; i < kLanes; ++i) {
      const int wanted = column + i < job_.columns ? column + i : job_.columns - 1;
      const std::uint16_t* from = job_.b + wanted * job_.b_stride + 2 * step;
      weights[i] = kWhole ? A::LoadWhole(from) : A::LoadPairs(from, job_.k - 2 * step);
    }
    A::Transpose(weights);
    // What lies kGroups groups below is one run of memory: it is asked for in the order in which it
    // lies there, which memory and the second-level cache's own looking ahead serve best, and one
    // line a step: a burst would wait for the first of its lines.
    const std::uint16_t* ahead =
        job_.b + (column + kGroups * kLanes) * job_.b_stride + 2 * kLanes * step;
    BATON_UNROLL
    for (int i = 0; i < kLanes; ++i) {
      if (!kWhole && step + i >= steps_) return;
      if constexpr (kWhole) A::PrefetchFar(ahead + 2 * kLanes * i);
      BATON_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const V pair = A::Set(job_.a[r * job_.a_stride + step + i]);
        sums[r] = A::MultiplyAddPairs(weights[i], pair, sums[r]);
      }
    }
  }

  void RunMany() {
    for (int first = 0; first < job_.rows; first += kPairChunkRows) {
      const int rows = job_.rows - first < kPairChunkRows ? job_.rows - first : kPairChunkRows;
      const float* panels = job_.a + first / kLanes * job_.a_stride;
      if (job_.rows <= kHalfPanelRows) {
        Many<typename A::Half, 12, 1>(panels);
        return FinishChunk(first, rows);
      }
      switch ((rows + kLanes - 1) / kLanes) {
        case 1:
          Many<A, 12, 1>(panels);
          break;
        case 2:
          Many<A, 8, 2>(panels);
          break;
        case 3:
          Many<A, 8, 3>(panels);
          break;
        default:
          Many<A, 6, 4>(panels);
      }
      FinishChunk(first, rows);
    }
  }

  template <class Lanes, int kColumns, int kVecs>
  void Many(const float* panels) {
    RunPairTiles<Lanes, kColumns, kVecs>({.panels = panels,
                                          .panel_stride = job_.a_stride,
                                          .columns = job_.b,
                                          .column_stride = job_.b_stride,
                                          .k = job_.k},
                                         job_.columns, job_.scratch, kPairChunkRows);
  }

  // scratch[column][row of the chunk] turned and stored.
  void FinishChunk(int first, int rows) {
    for (int column = 0; column < job_.columns; column += kLanes) {
      for (int row = 0; row < rows; row += kLanes) {
        V square[kLanes];
        BATON_UNROLL
        for (int i = 0; i < kLanes; ++i) {
          square[i] = A::Load(job_.scratch + (column + i) * kPairChunkRows + row);
        }
        A::Transpose(square);
        BATON_UNROLL
        for (int i = 0; i < kLanes; ++i) {
          if (row + i < rows) Finish(first + row + i, column, square[i]);
        }
      }
    }
  }

  // Adds the bias and rounds once.
  BATON_INLINE void Finish(int row, int column, V sum) {
    const int count = job_.columns - column;
    if (count <= 0) return;
    if (job_.bias != nullptr) {
      sum = A::Add(sum, LoadAs<A, DType::kBf16>(job_.bias, column, count));
    }
    StoreAs<A>(job_.c, job_.c_dtype, row * job_.c_stride + column, sum, count);
  }

  const GemmPairsJob& job_;
  const int steps_;
  const int whole_steps_;  // without an odd last element's
};

}  // namespace baton
