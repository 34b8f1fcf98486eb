// One panel of a product: up to kGemmRowsMax rows against kPanelWidth rows of weights. The weights
// are widened and transposed in blocks of kDepth steps that stay in L1, then every row tile
// passes over the block; sums wait in fp32 between blocks, which is exact, so blocking changes no
// bit. One row takes the same way as many.
#pragma once

#include <cstdint>

#include "kernels/cpu/level.h"
#include "kernels/cpu/row_tile.h"
#include "kernels/cpu/vec_math.h"

namespace baton {

/// Steps a block: 128 x 32 floats are 16 KiB, half of the smallest L1 in use.
inline constexpr int kDepth = 128;

template <class A>
inline constexpr std::size_t kGemmScratchFloats =
    static_cast<std::size_t>(kDepth + kGemmRowsMax) * kPanelWidth<A>;

template <class A>
class GemmPanel {
 public:
  explicit GemmPanel(const GemmPanelJob& job)
      : job_(job), block_(job.scratch), sums_(job.scratch + kDepth * kWidth) {}

  void Run() {
    for (int first = 0; first < job_.k; first += kDepth) {
      const int depth = job_.k - first < kDepth ? job_.k - first : kDepth;
      PackBlock(first, depth);
      MultiplyBlock(first, depth);
    }
    for (int row = 0; row < job_.rows; ++row) Finish(row);
  }

 private:
  using V = typename A::V;
  static constexpr int kWidth = kPanelWidth<A>;

  // block[step][column], of steps first .. first + depth. Columns past the end repeat the last one
  // and are never stored.
  void PackBlock(int first, int depth) {
    WithType(job_.b_dtype, [&](auto tag) {
      for (int column = 0; column < kWidth; column += A::kLanes) {
        for (int step = 0; step < depth; step += A::kLanes) {
          PackSquare<decltype(tag)::kValue>(column, first + step, depth - step,
                                            block_ + step * kWidth + column);
        }
      }
    });
  }

  template <DType kType>
  BATON_INLINE void PackSquare(int column, int step, int steps, float* to) {
    V rows[A::kLanes];
    BATON_UNROLL
    for (int i = 0; i < A::kLanes; ++i) {
      const int wanted = column + i < job_.columns ? column + i : job_.columns - 1;
      rows[i] = LoadAs<A, kType>(job_.b, wanted * job_.b_stride + step, job_.k - step);
    }
    A::Transpose(rows);
    BATON_UNROLL
    for (int i = 0; i < A::kLanes; ++i) {
      if (i < steps) A::Store(to + i * kWidth, rows[i]);
    }
  }

  void MultiplyBlock(int first, int depth) {
    ForRowTiles<A>(job_.rows, [&](auto count, int row) {
      RowTile<A, decltype(count)::kValue> tile;
      float* sums = sums_ + static_cast<std::int64_t>(row) * kWidth;
      if (first == 0) {
        tile.Clear();
      } else {
        tile.Load(sums, kWidth);
      }
      tile.Accumulate({.left = job_.a + row * job_.a_stride + first,
                       .left_stride = job_.a_stride,
                       .right = block_,
                       .right_stride = kWidth,
                       .steps = depth});
      tile.Store(sums, kWidth);
    });
  }

  // Adds the bias and rounds once.
  void Finish(int row) {
    const float* sums = sums_ + static_cast<std::int64_t>(row) * kWidth;
    for (int column = 0; column < job_.columns; column += A::kLanes) {
      const int count = job_.columns - column;
      V sum = A::Load(sums + column);
      if (job_.bias != nullptr) {
        WithType(job_.b_dtype, [&](auto tag) {
          sum = A::Add(sum, LoadAs<A, decltype(tag)::kValue>(job_.bias, column, count));
        });
      }
      StoreAs<A>(job_.c, job_.c_dtype, row * job_.c_stride + column, sum, count);
    }
  }

  const GemmPanelJob& job_;
  float* const block_;  // [kDepth][kWidth]
  float* const sums_;   // [rows][kWidth]
};

}  // namespace baton
