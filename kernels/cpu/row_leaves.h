// What happens to one row outside of products: its norm and its rotary part. A row is one thread's,
// sums are 16 lanes and one fixed tree, so that a row's bits are its own.
#pragma once

#include <cstdint>

#include "kernels/cpu/level.h"
#include "kernels/cpu/vec_math.h"

namespace baton {

template <class A>
class RowNorm {
 public:
  explicit RowNorm(const NormRowJob& job) : job_(job) {}

  void Run() const {
    WithType(job_.activation, [&](auto tag) {
      constexpr DType kType = decltype(tag)::kValue;
      const float sum = job_.x != nullptr ? AddAndSquare<kType>() : Square<kType>();
      const double mean = double{sum} / job_.dim + double{job_.epsilon};
      Scale<kType>(static_cast<float>(1.0 / __builtin_sqrt(mean)));
    });
  }

 private:
  using V = typename A::V;

  // residual += x, rounded; the sum of squares is of what was kept.
  template <DType kType>
  float AddAndSquare() const {
    V sum = A::Set(0.0F);
    for (int i = 0; i < job_.dim; i += A::kLanes) {
      const int count = job_.dim - i;
      const V added =
          A::Add(LoadAs<A, kType>(job_.residual, i, count), LoadAs<A, kType>(job_.x, i, count));
      StoreAs<A>(job_.kept, kType, i, added, count);
      const V kept = LoadAs<A, kType>(job_.residual, i, count);
      sum = A::Fma(kept, kept, sum);
    }
    return SumLanes<A>(sum);
  }

  template <DType kType>
  float Square() const {
    V sum = A::Set(0.0F);
    for (int i = 0; i < job_.dim; i += A::kLanes) {
      const V value = LoadAs<A, kType>(job_.residual, i, job_.dim - i);
      sum = A::Fma(value, value, sum);
    }
    return SumLanes<A>(sum);
  }

  template <DType kType>
  void Scale(float scale) const {
    WithType(job_.weight_dtype, [&](auto tag) {
      for (int i = 0; i < job_.dim; i += A::kLanes) {
        const int count = job_.dim - i;
        const V value = A::Mul(LoadAs<A, kType>(job_.residual, i, count), A::Set(scale));
        const V weight = LoadAs<A, decltype(tag)::kValue>(job_.weight, i, count);
        StoreAs<A>(job_.out, job_.out_dtype, i, A::Mul(value, weight), count);
      }
    });
  }

  const NormRowJob& job_;
};

/// (x, y) of each interleaved pair to (x cos - y sin, x sin + y cos), eight pairs at a time.
template <class A>
void RotateRow(const RotateRowJob& job) {
  WithType(job.activation, [&](auto tag) {
    for (int pair = 0; pair < job.pairs; pair += A::kLanes / 2) {
      const auto values = LoadAs<A, decltype(tag)::kValue>(job.from, 2 * pair, A::kLanes);
      const auto turned = A::Mul(A::SwapPairs(values), A::MinusPlus(A::TwiceEach(job.sin + pair)));
      const auto rotated = A::Fma(values, A::TwiceEach(job.cos + pair), turned);
      StoreAs<A>(job.to, job.to_dtype, 2 * pair, rotated, A::kLanes);
    }
  });
}

}  // namespace baton
