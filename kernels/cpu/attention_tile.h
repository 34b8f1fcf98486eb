// Attention of up to kAttentionVectorsMax query vectors (heads of one row, rows of a chunk: all the
// same here) over the pages of one sequence. For each page, in ascending order: make it ready once,
// then scores, online softmax, and the weighted sum of values.
//
// Why bits ignore the company: a score is one chain over ascending dims; a row's maximum and sum
// come from its own scores in one fixed tree; an output element is one chain over ascending tokens.
// A token that a row does not see has weight exactly 0 and a finite value (what stands past the
// sequence's end is replaced by 0), a page that it does not see rescales by exactly 1.
#pragma once

#include <cstdint>

#include "kernels/cpu/attention_page.h"
#include "kernels/cpu/level.h"
#include "kernels/cpu/row_tile.h"

namespace baton {

/// Sizes and places of a job's scratch, all in floats.
template <class A>
struct AttentionShape {
  explicit AttentionShape(const AttentionTileJob& job)
      : dim(job.key_dim),
        tokens(RoundUpTo(job.tokens_per_page, kPanelWidth<A>)),
        columns(RoundUpTo(job.value_dim, kPanelWidth<A>)),
        query_stride(OddLines(dim)),
        value_stride(OddLines(columns)),
        output_stride(OddLines(columns)),
        weight_stride(OddLines(tokens)),
        wide_stride(job.fp8_dim > 0 ? OddLines(dim) : 0) {}

  std::size_t Floats() const {
    const std::size_t a_vector =
        static_cast<std::size_t>(query_stride + output_stride + weight_stride + 3);
    const std::size_t a_token =
        static_cast<std::size_t>(value_stride + RoundUpTo(dim, 16) + wide_stride);
    return kAttentionVectorsMax * a_vector + static_cast<std::size_t>(tokens) * a_token;
  }

  int dim;            // of a query and a key
  int tokens;         // of a page, in whole panels
  int columns;        // of an output, in whole panels
  int query_stride;   // floats between query vectors
  int value_stride;   // floats between a page's tokens
  int output_stride;  // floats between outputs
  int weight_stride;  // floats between vectors' weights
  int wide_stride;    // floats between a page's tokens made wide, of fp8; 0: none are
};

template <class A>
class AttentionTile {
 public:
  explicit AttentionTile(const AttentionTileJob& job) : job_(job), shape_(job) {
    float* at = job.scratch;
    const auto take = [&at](int rows, int stride) {
      float* taken = at;
      at += static_cast<std::int64_t>(rows) * stride;
      return taken;
    };
    queries_ = take(kAttentionVectorsMax, shape_.query_stride);
    outputs_ = take(kAttentionVectorsMax, shape_.output_stride);
    weights_ = take(kAttentionVectorsMax, shape_.weight_stride);
    values_ = take(shape_.tokens, shape_.value_stride);
    keys_ = take(shape_.tokens, RoundUpTo(shape_.dim, A::kLanes));
    wide_ = take(shape_.tokens, shape_.wide_stride);
    maxima_ = take(kAttentionVectorsMax, 1);
    sums_ = take(kAttentionVectorsMax, 1);
    factors_ = take(kAttentionVectorsMax, 1);
  }

  void Run() {
    Begin();
    const int seen = Visible(job_.vectors - 1);
    for (int first = 0; first < seen; first += job_.tokens_per_page) {
      const int left = job_.length - first;
      const int tokens = left < job_.tokens_per_page ? left : job_.tokens_per_page;
      PreparePage(first / job_.tokens_per_page, tokens);
      Score();
      for (int v = 0; v < job_.vectors; ++v) {
        const int visible = Visible(v) - first;
        Weigh(v, visible < tokens ? visible : tokens);
      }
      Sum(tokens);
    }
    for (int v = 0; v < job_.vectors; ++v) Finish(v);
  }

 private:
  using V = typename A::V;
  static constexpr int kWidth = kPanelWidth<A>;
  static constexpr float kNothing = -__builtin_inff();

  // Tokens that a vector sees.
  int Visible(int vector) const {
    const int row = (job_.first_vector + vector) / job_.heads;
    return job_.length - (job_.rows - 1 - row);
  }

  void Begin() {
    for (int v = 0; v < job_.vectors; ++v) {
      const std::int64_t at = Place(v) * shape_.dim;
      WithType(job_.activation, [&](auto tag) {
        for (int i = 0; i < shape_.dim; i += A::kLanes) {
          A::Store(queries_ + v * shape_.query_stride + i,
                   LoadAs<A, decltype(tag)::kValue>(job_.query, at + i, shape_.dim - i));
        }
      });
      for (int i = 0; i < shape_.columns; i += A::kLanes) {
        A::Store(outputs_ + v * shape_.output_stride + i, A::Set(0.0F));
      }
      maxima_[v] = kNothing;
      sums_[v] = 0.0F;
    }
  }

  // Where a vector stands in query and output, in vectors.
  std::int64_t Place(int vector) const {
    const int at = job_.first_vector + vector;
    return static_cast<std::int64_t>(at / job_.heads) * job_.row_vectors + at % job_.heads;
  }

  void PreparePage(int index, int tokens) {
    const auto page = static_cast<std::size_t>(job_.table[index]);
    const std::byte* keys = job_.keys + page * job_.page_stride_bytes;
    const PreparedPage to{.keys = keys_,
                          .values = values_,
                          .tokens = shape_.tokens,
                          .value_stride = shape_.value_stride};
    if (job_.fp8_dim > 0) return PrepareFp8Page(keys, tokens, to);
    RawRows rows{.rows = keys,
                 .type = job_.cache_dtype,
                 .dim = shape_.dim,
                 .stride = shape_.dim,
                 .tokens = tokens};
    PrepareKeys<A>(rows, to);
    rows.rows += job_.value_offset_bytes;
    rows.dim = job_.value_dim;
    rows.stride = job_.value_row_dim;
    PrepareValues<A>(rows, to);
  }

  // Rows are made fp32 first, and then are as any others.
  void PrepareFp8Page(const std::byte* keys, int tokens, const PreparedPage& to) {
    RawRows rows{.rows = reinterpret_cast<const std::byte*>(wide_),
                 .type = DType::kF32,
                 .dim = shape_.dim,
                 .stride = shape_.wide_stride,
                 .tokens = tokens};
    Fp8Rows fp8{.rows = keys,
                .scales = keys + job_.fp8_scale_offset_bytes,
                .dim = job_.fp8_dim,
                .block = job_.fp8_block,
                .tokens = tokens};
    WidenFp8Rows<A>(fp8, wide_, shape_.wide_stride);
    WidenKeyRests(keys + job_.fp8_key_rest_offset_bytes, tokens);
    PrepareKeys<A>(rows, to);
    if (job_.value_offset_bytes > 0) {
      fp8.rows += job_.value_offset_bytes;
      fp8.scales += job_.value_offset_bytes;
      WidenFp8Rows<A>(fp8, wide_, shape_.wide_stride);
    }
    rows.dim = job_.value_dim;
    PrepareValues<A>(rows, to);
  }

  // What of each key is bf16, behind what was e4m3.
  void WidenKeyRests(const std::byte* rests, int tokens) {
    const int rest = shape_.dim - job_.fp8_dim;
    for (int t = 0; t < tokens; ++t) {
      float* to = wide_ + static_cast<std::int64_t>(t) * shape_.wide_stride + job_.fp8_dim;
      for (int i = 0; i < rest; i += A::kLanes) {
        const std::int64_t at = static_cast<std::int64_t>(t) * rest + i;
        StoreAs<A>(to, DType::kF32, i, LoadAs<A, DType::kBf16>(rests, at, rest - i), rest - i);
      }
    }
  }

  // weights[vector][token] = query . key
  void Score() {
    const int padded = RoundUpTo(shape_.dim, A::kLanes);
    for (int token = 0; token < shape_.tokens; token += kWidth) {
      const float* panel = keys_ + static_cast<std::int64_t>(token / kWidth) * padded * kWidth;
      ForRowTiles<A>(job_.vectors, [&](auto count, int vector) {
        RowTile<A, decltype(count)::kValue> tile;
        tile.Clear();
        tile.Accumulate({.left = queries_ + vector * shape_.query_stride,
                         .left_stride = shape_.query_stride,
                         .right = panel,
                         .right_stride = kWidth,
                         .steps = shape_.dim});
        tile.Store(weights_ + vector * shape_.weight_stride + token, shape_.weight_stride);
      });
    }
  }

  // Scores to weights exp(score - maximum so far); `visible` is at most the page's tokens, and <= 0
  // for a page that the vector does not see.
  void Weigh(int vector, int visible) {
    float* row = weights_ + vector * shape_.weight_stride;
    V top = A::Set(maxima_[vector]);
    for (int t = 0; t < visible; t += A::kLanes) {
      const V scaled = A::Mul(A::Load(row + t), A::Set(job_.softmax_scale));
      A::Store(row + t, scaled);
      const int count = visible - t < A::kLanes ? visible - t : A::kLanes;
      top = A::Max(A::SelectFirst(count, scaled, A::Set(kNothing)), top);
    }
    const V maximum = A::Set(MaxLane<A>(top));
    V sum = A::Set(0.0F);
    for (int t = 0; t < shape_.tokens; t += A::kLanes) {
      const int left = visible - t < 0 ? 0 : visible - t;
      const int count = left < A::kLanes ? left : A::kLanes;
      const V grown = Exp<A>(A::Sub(A::Load(row + t), maximum));
      const V weight = A::SelectFirst(count, grown, A::Set(0.0F));
      A::Store(row + t, weight);
      sum = A::Add(sum, weight);
    }
    // A row that has seen nothing yet has a maximum of -inf, and nothing to rescale.
    const bool first = maxima_[vector] == kNothing;
    const float factor = first ? 1.0F : FirstLane(Exp<A>(A::Sub(A::Set(maxima_[vector]), maximum)));
    factors_[vector] = factor;
    sums_[vector] = sums_[vector] * factor + SumLanes<A>(sum);
    maxima_[vector] = FirstLane(maximum);
  }

  BATON_INLINE static float FirstLane(V v) { return _mm256_cvtss_f32(A::Low(v)); }

  // outputs[vector] = outputs[vector] * factor + sum over tokens of weight * value
  void Sum(int tokens) {
    for (int column = 0; column < shape_.columns; column += kWidth) {
      ForRowTiles<A>(job_.vectors, [&](auto count, int vector) {
        RowTile<A, decltype(count)::kValue> tile;
        float* outputs = outputs_ + vector * shape_.output_stride + column;
        tile.Load(outputs, shape_.output_stride);
        tile.Scale(factors_ + vector);
        tile.Accumulate({.left = weights_ + vector * shape_.weight_stride,
                         .left_stride = shape_.weight_stride,
                         .right = values_ + column,
                         .right_stride = shape_.value_stride,
                         .steps = tokens});
        tile.Store(outputs, shape_.output_stride);
      });
    }
  }

  // Divides by the sum of weights and rounds once. A row that sees nothing is 0. The last addition
  // turns -0, which depends on how many zeros were added to it, into +0.
  void Finish(int vector) {
    const float sum = sums_[vector];
    const V divisor = A::Set(Visible(vector) > 0 ? sum : 1.0F);
    const float* output = outputs_ + vector * shape_.output_stride;
    const std::int64_t to = Place(vector) * job_.value_dim;
    for (int i = 0; i < job_.value_dim; i += A::kLanes) {
      const V mean = A::Add(A::Div(A::Load(output + i), divisor), A::Set(0.0F));
      StoreAs<A>(job_.output, job_.activation, to + i, mean, job_.value_dim - i);
    }
  }

  const AttentionTileJob& job_;
  const AttentionShape<A> shape_;
  float* queries_;  // [vectors][query_stride]
  float* outputs_;  // [vectors][output_stride]
  float* weights_;  // [vectors][weight_stride]
  float* values_;   // [tokens][value_stride]
  float* keys_;     // [tokens / kWidth][dim, in whole lanes][kWidth]
  float* wide_;     // [tokens][wide_stride]
  float* maxima_;   // [vectors]
  float* sums_;     // [vectors]
  float* factors_;  // [vectors]
};

}  // namespace baton
