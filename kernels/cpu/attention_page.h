// A page made ready for products: its values as a right operand over tokens, its keys as a right
// operand over dimensions. Rows past the tokens that exist become zero: a page's tail may hold
// anything.
#pragma once

#include <cstdint>

#include "kernels/cpu/row_tile.h"
#include "kernels/cpu/vec_math.h"

namespace baton {

BATON_INLINE int RoundUpTo(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Keys or values of a page as they lie in the pool.
struct RawRows {
  const std::byte* rows = nullptr;  // [tokens][stride], of which dim are read
  DType type = DType::kBf16;
  int dim = 0;
  int stride = 0;  // elements
  int tokens = 0;  // that exist
};

/// e4m3 values of a page and their scales.
struct Fp8Rows {
  const std::byte* rows = nullptr;    // [tokens][dim]
  const std::byte* scales = nullptr;  // [tokens][ceil(dim / block)] fp32, not aligned
  int dim = 0;
  int block = 0;
  int tokens = 0;
};

/// to[token][i] = value * its block's scale; whole lanes are written. A NaN's code is 480 here: its
/// scale is NaN.
template <class A>
void WidenFp8Rows(const Fp8Rows& page, float* to, int stride) {
  const auto* codes = reinterpret_cast<const std::uint8_t*>(page.rows);
  const std::byte* scale_at = page.scales;
  for (int t = 0; t < page.tokens; ++t) {
    for (int first = 0; first < page.dim; first += page.block) {
      float scale;
      __builtin_memcpy(&scale, scale_at, sizeof scale);
      scale_at += sizeof scale;
      const int end = first + page.block < page.dim ? first + page.block : page.dim;
      for (int i = first; i < end; i += A::kLanes) {
        const bool whole = end - i >= A::kLanes;
        const auto values = whole ? A::LoadE4m3(codes + i) : A::LoadE4m3First(codes + i, end - i);
        A::Store(to + i, A::Mul(values, A::Set(scale)));
      }
    }
    codes += page.dim;
    to += stride;
  }
}

/// Where the operands go. `keys`: [padded tokens / panel width][steps of dim, in whole
/// lanes][panel width]; `values`: [steps of padded tokens][value_stride].
struct PreparedPage {
  float* keys = nullptr;
  float* values = nullptr;
  int tokens = 0;  // in whole panels
  int value_stride = 0;
};

/// keys[panel][step][token of the panel], from rows that load(token, step) gives 16 steps at a
/// time.
template <class A, class Load>
BATON_INLINE void TransposeKeys(const PreparedPage& to, int steps, const Load& load) {
  const int padded = RoundUpTo(steps, A::kLanes);
  for (int token = 0; token < to.tokens; token += A::kLanes) {
    const int panel = token / kPanelWidth<A>;
    float* keys = to.keys + static_cast<std::int64_t>(panel) * padded * kPanelWidth<A> +
                  token % kPanelWidth<A>;
    for (int step = 0; step < padded; step += A::kLanes) {
      typename A::V rows[A::kLanes];
      BATON_UNROLL
      for (int t = 0; t < A::kLanes; ++t) rows[t] = load(token + t, step);
      A::Transpose(rows);
      BATON_UNROLL
      for (int s = 0; s < A::kLanes; ++s) {
        A::Store(keys + static_cast<std::int64_t>(step + s) * kPanelWidth<A>, rows[s]);
      }
    }
  }
}

/// Rows of values, widened.
template <class A>
void PrepareValues(const RawRows& page, const PreparedPage& to) {
  WithType(page.type, [&](auto tag) {
    for (int t = 0; t < page.tokens; ++t) {
      const std::int64_t at = static_cast<std::int64_t>(t) * page.stride;
      float* row = to.values + static_cast<std::int64_t>(t) * to.value_stride;
      for (int i = 0; i < page.dim; i += A::kLanes) {
        A::Store(row + i, LoadAs<A, decltype(tag)::kValue>(page.rows, at + i, page.dim - i));
      }
    }
  });
  for (int t = page.tokens; t < to.tokens; ++t) {
    float* row = to.values + static_cast<std::int64_t>(t) * to.value_stride;
    for (int i = 0; i < page.dim; i += A::kLanes) A::Store(row + i, A::Set(0.0F));
  }
}

/// Rows of keys, widened and transposed.
template <class A>
void PrepareKeys(const RawRows& page, const PreparedPage& to) {
  WithType(page.type, [&](auto tag) {
    TransposeKeys<A>(to, page.dim, [&](int token, int step) BATON_INLINE_LAMBDA {
      if (token >= page.tokens) return A::Set(0.0F);
      const std::int64_t at = static_cast<std::int64_t>(token) * page.stride + step;
      return LoadAs<A, decltype(tag)::kValue>(page.rows, at, page.dim - step);
    });
  });
}

}  // namespace baton
