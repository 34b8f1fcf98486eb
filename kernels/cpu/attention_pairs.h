// Attention over bf16 pages on a level that multiplies pairs. Query vectors lie in the lanes, so
// that keys are read as they stand in the page, and values need two unpacks a pair of rows: nothing
// of a page is copied.
//
//   scores   [token][vector]: each key's pairs broadcast against 16 vectors (pair_tile.h)
//   weights  [pair of tokens][vector]: online softmax, a lane a vector, rounded to bf16; the
//            rounded ones are what is summed
//   outputs  [vector][column]: two rows of values interleaved, the weights' pairs broadcast
//
// A sequence is cut into parts of kPartPages pages. Each part starts anew, and parts are merged in
// ascending order, whether one job computed them all or each a job of its own: how the work was cut
// changes no bit. Why bits ignore the company: every number above is one lane's chain over
// ascending dims or tokens; a token that a vector does not see has weight exactly 0 and a finite
// value (what stands past the sequence's end is replaced by 0), and a page that it does not see
// rescales by exactly 1.
#pragma once

#include <cstdint>

#include "kernels/cpu/level.h"
#include "kernels/cpu/pair_tile.h"
#include "kernels/cpu/vec_math.h"

namespace baton {

/// Sizes of a job's memory, in floats; every row of it is whole cache lines.
struct AttentionPairsShape {
  explicit AttentionPairsShape(const AttentionTileJob& job)
      : vectors((job.vectors + 15) / 16 * 16),
        steps((job.key_dim + 1) / 2),
        columns((job.value_dim + 31) / 32 * 32),
        token_pairs((job.tokens_per_page + 1) / 2) {}

  /// Of one part: outputs [vectors][columns], maxima [vectors], sums [vectors].
  std::size_t PartFloats() const {
    return static_cast<std::size_t>(vectors) * static_cast<std::size_t>(columns + 2);
  }
  /// Of a job: panels of queries, scores, weights, factors, and two parts.
  std::size_t Floats() const {
    return static_cast<std::size_t>(vectors) *
               static_cast<std::size_t>(steps + 3 * token_pairs + 1) +
           2 * PartFloats();
  }

  int vectors;      // whole groups of 16
  int steps;        // pairs of a key
  int columns;      // of an output, whole blocks of 32
  int token_pairs;  // of a page
};

template <class A>
class AttentionPairs {
 public:
  explicit AttentionPairs(const AttentionTileJob& job) : job_(job), shape_(job) {
    float* at = job.scratch;
    const auto take = [&at](std::int64_t floats) {
      float* taken = at;
      at += floats;
      return taken;
    };
    queries_ = take(std::int64_t{shape_.vectors} * shape_.steps);
    scores_ = take(std::int64_t{shape_.vectors} * 2 * shape_.token_pairs);
    weights_ = take(std::int64_t{shape_.vectors} * shape_.token_pairs);
    factors_ = take(shape_.vectors);
    part_ = PartAt(take(static_cast<std::int64_t>(shape_.PartFloats())));
    total_ = PartAt(at);
  }

  /// Parts [first_part, first_part + parts): into `partials` where the job has them, else finished.
  void Run() {
    PackQueries();
    if (job_.partials != nullptr) {
      part_ = PartAt(job_.partials);
      return ComputePart(job_.first_part);
    }
    for (int index = 0; index < job_.parts; ++index) {
      ComputePart(job_.first_part + index);
      if (index > 0) {
        Merge(part_);
      } else {
        const Part first = part_;
        part_ = total_;
        total_ = first;
      }
    }
    Finish();
  }

  /// Merges `parts` partials, one behind the other, and finishes.
  void RunMerge() {
    total_ = PartAt(job_.partials);
    for (int index = 1; index < job_.parts; ++index) {
      Merge(PartAt(job_.partials + index * static_cast<std::int64_t>(shape_.PartFloats())));
    }
    Finish();
  }

 private:
  using V = typename A::V;
  static constexpr int kLanes = A::kLanes;
  static constexpr int kOutputRows = 8;  // of a tile of outputs
  static constexpr int kColumns = 2 * kLanes;
  static constexpr int kLine = 64;  // bytes
  static constexpr float kNothing = -__builtin_inff();

  struct Part {
    float* outputs = nullptr;  // [vectors][columns]; each 32 columns in the order of the unpacks
    float* maxima = nullptr;   // [vectors]
    float* sums = nullptr;     // [vectors]
  };

  Part PartAt(float* memory) const {
    float* maxima = memory + std::int64_t{shape_.vectors} * shape_.columns;
    return {memory, maxima, maxima + shape_.vectors};
  }

  // A page as it is used: its rows, how many are there, and where the next page lies.
  struct Page {
    const std::byte* keys = nullptr;
    const std::byte* next = nullptr;  // null for the last one
    int first_token = 0;
    int tokens = 0;
  };

  int Visible(int vector) const {
    const int row = (job_.first_vector + vector) / job_.heads;
    return job_.length - (job_.rows - 1 - row);
  }

  // Where a vector stands in query and output, in vectors.
  std::int64_t Place(int vector) const {
    const int at = job_.first_vector + vector;
    return static_cast<std::int64_t>(at / job_.heads) * job_.row_vectors + at % job_.heads;
  }

  void PackQueries() {
    const auto* query = static_cast<const std::uint16_t*>(job_.query);
    for (int first = 0; first < shape_.vectors; first += kLanes) {
      const int left = job_.vectors - first;
      PackPairsJob pack{.rows = left < kLanes ? left : kLanes,
                        .k = job_.key_dim,
                        .to = queries_ + static_cast<std::int64_t>(first) * shape_.steps};
      for (int i = 0; i < pack.rows; ++i) pack.from[i] = query + Place(first + i) * job_.key_dim;
      PackPairRows<A>(pack);
    }
  }

  void ComputePart(int index) {
    Clear();
    const int part_tokens = kPartPages * job_.tokens_per_page;
    const int begin = index * part_tokens;
    const int seen = Visible(job_.vectors - 1);
    const int end = seen < begin + part_tokens ? seen : begin + part_tokens;
    for (int first = begin; first < end; first += job_.tokens_per_page) {
      const int left = job_.length - first;
      const int after = first + job_.tokens_per_page;
      const Page page{.keys = PageAt(first),
                      .next = after < seen ? PageAt(after) : nullptr,
                      .first_token = first,
                      .tokens = left < job_.tokens_per_page ? left : job_.tokens_per_page};
      Score(page);
      for (int group = 0; group < shape_.vectors; group += kLanes) Weigh(page, group);
      Sum(page);
    }
  }

  const std::byte* PageAt(int token) const {
    const auto page = static_cast<std::size_t>(job_.table[token / job_.tokens_per_page]);
    return job_.keys + page * job_.page_stride_bytes;
  }

  void Clear() {
    for (std::int64_t i = 0; i < std::int64_t{shape_.vectors} * shape_.columns; i += kLanes) {
      A::Store(part_.outputs + i, A::Set(0.0F));
    }
    for (int v = 0; v < shape_.vectors; v += kLanes) {
      A::Store(part_.maxima + v, A::Set(kNothing));
      A::Store(part_.sums + v, A::Set(0.0F));
    }
  }

  // scores[token][vector] = key . query; rows past the sequence's end may be computed, and are not
  // used.
  void Score(const Page& page) {
    for (int first = 0; first < shape_.vectors; first += kPairChunkRows) {
      const int left = (shape_.vectors - first) / kLanes;
      switch (left) {
        case 1:
          ScoreTiles<16, 1>(page, first);
          break;
        case 2:
          ScoreTiles<8, 2>(page, first);
          break;
        case 3:
          ScoreTiles<8, 3>(page, first);
          break;
        default:
          ScoreTiles<6, 4>(page, first);
      }
    }
  }

  template <int kTokens, int kVecs>
  void ScoreTiles(const Page& page, int first) {
    const int whole = (page.tokens + kTokens - 1) / kTokens * kTokens;
    const int tokens = whole < job_.tokens_per_page ? whole : job_.tokens_per_page;
    RunPairTiles<A, kTokens, kVecs>(
        {.panels = queries_ + static_cast<std::int64_t>(first) * shape_.steps,
         .panel_stride = static_cast<std::int64_t>(shape_.steps) * kLanes,
         .columns = reinterpret_cast<const std::uint16_t*>(page.keys),
         .column_stride = job_.key_dim,
         .k = job_.key_dim},
        tokens, scores_ + first, shape_.vectors);
  }

  // Scores of 16 vectors to weights exp(score - maximum so far).
  void Weigh(const Page& page, int group) {
    float seen[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      const int vector = group + i < job_.vectors ? group + i : job_.vectors - 1;
      seen[i] = static_cast<float>(Visible(vector) - page.first_token);
    }
    const V visible = A::Load(seen);
    const V nothing = A::Set(kNothing);
    const V before = A::Load(part_.maxima + group);
    V maximum = before;
    for (int t = 0; t < page.tokens; ++t) {
      float* score = scores_ + std::int64_t{t} * shape_.vectors + group;
      const V scaled = A::Mul(A::Load(score), A::Set(job_.softmax_scale));
      A::Store(score, scaled);
      const V token = A::Set(static_cast<float>(t));
      maximum = A::Max(A::SelectLess(token, visible, scaled, nothing), maximum);
    }
    V sum = A::Set(0.0F);
    for (int t = 0; t < page.tokens; t += 2) {
      const V even = Weight(page, t, group, visible, maximum);
      const V odd = Weight(page, t + 1, group, visible, maximum);
      sum = A::Add(A::Add(sum, even), odd);
      A::Store(weights_ + std::int64_t{t / 2} * shape_.vectors + group, A::JoinPair(even, odd));
    }
    // A vector that has seen nothing yet has a maximum of -inf, and nothing to rescale.
    const V factor = A::SelectLess(nothing, before, Exp<A>(A::Sub(before, maximum)), A::Set(1.0F));
    A::Store(factors_ + group, factor);
    A::Store(part_.sums + group, A::Add(A::Mul(A::Load(part_.sums + group), factor), sum));
    A::Store(part_.maxima + group, maximum);
  }

  // Of one token for 16 vectors, rounded to bf16.
  BATON_INLINE V Weight(const Page& page, int token, int group, V visible, V maximum) const {
    if (token >= page.tokens) return A::Set(0.0F);
    const V score = A::Load(scores_ + std::int64_t{token} * shape_.vectors + group);
    const V grown = A::RoundToBf16(Exp<A>(A::Sub(score, maximum)));
    return A::SelectLess(A::Set(static_cast<float>(token)), visible, grown, A::Set(0.0F));
  }

  // outputs = outputs * factor + sum over tokens of weight * value
  void Sum(const Page& page) {
    const int used = (job_.vectors + kOutputRows - 1) / kOutputRows * kOutputRows;
    const int tiles = used / kOutputRows * (shape_.columns / kColumns);
    int tile = 0;
    for (int vector = 0; vector < used; vector += kOutputRows) {
      for (int column = 0; column < shape_.columns; column += kColumns, ++tile) {
        const NextLines next = NextLinesOf(page, tile, tiles);
        if (column + kColumns <= job_.value_dim) {
          SumTile<true>(page, vector, column, next);
        } else {
          SumTile<false>(page, vector, column, next);
        }
      }
    }
  }

  // The next page comes from memory while this one is summed: each tile asks for its share.
  struct NextLines {
    const char* from = nullptr;
    int count = 0;
  };
  NextLines NextLinesOf(const Page& page, int tile, int tiles) const {
    if (page.next == nullptr) return {};
    const auto plane = static_cast<std::size_t>(job_.tokens_per_page) * 2;
    const bool apart = job_.value_offset_bytes > 0;
    const bool values = apart && tile >= tiles / 2;
    const std::size_t bytes =
        plane * static_cast<std::size_t>(values ? job_.value_row_dim : job_.key_dim);
    const int share = apart ? (tiles + 1) / 2 : tiles;
    const int lines = static_cast<int>(bytes / kLine);
    const int count = (lines + share - 1) / share;
    const int first = (values ? tile - tiles / 2 : tile) * count;
    const std::byte* from = page.next + (values ? job_.value_offset_bytes : 0);
    return {reinterpret_cast<const char*>(from) + static_cast<std::int64_t>(first) * kLine, count};
  }

  template <bool kWhole>
  BATON_INLINE void SumTile(const Page& page, int vector, int column, NextLines next) {
    const auto* values =
        reinterpret_cast<const std::uint16_t*>(page.keys + job_.value_offset_bytes) + column;
    const int left = job_.value_dim - column;
    float* outputs = part_.outputs + std::int64_t{vector} * shape_.columns + column;
    V low[kOutputRows];
    V high[kOutputRows];
    BATON_UNROLL
    for (int r = 0; r < kOutputRows; ++r) {
      const V factor = A::Set(factors_[vector + r]);
      low[r] = A::Mul(A::Load(outputs + r * shape_.columns), factor);
      high[r] = A::Mul(A::Load(outputs + r * shape_.columns + kLanes), factor);
    }
    const int pairs = (page.tokens + 1) / 2;
    for (int line = pairs; line < next.count; ++line) A::PrefetchFar(next.from + line * kLine);
    const float* weights = weights_ + vector;
    for (int pair = 0; pair < pairs; ++pair, weights += shape_.vectors) {
      if (pair < next.count) A::PrefetchFar(next.from + pair * kLine);
      const std::uint16_t* even = values + std::int64_t{2 * pair} * job_.value_row_dim;
      const V first = kWhole ? A::LoadWhole(even) : A::LoadPairs(even, left);
      V second = A::Set(0.0F);
      if (2 * pair + 1 < page.tokens) {
        const std::uint16_t* odd = even + job_.value_row_dim;
        second = kWhole ? A::LoadWhole(odd) : A::LoadPairs(odd, left);
      }
      const V lower = A::UnpackLow(first, second);
      const V upper = A::UnpackHigh(first, second);
      BATON_UNROLL
      for (int r = 0; r < kOutputRows; ++r) {
        const V weight = A::Set(weights[r]);
        low[r] = A::MultiplyAddPairs(lower, weight, low[r]);
        high[r] = A::MultiplyAddPairs(upper, weight, high[r]);
      }
    }
    BATON_UNROLL
    for (int r = 0; r < kOutputRows; ++r) {
      A::Store(outputs + r * shape_.columns, low[r]);
      A::Store(outputs + r * shape_.columns + kLanes, high[r]);
    }
  }

  // total = total and what `part` adds to it. A part of which a vector saw nothing changes nothing.
  void Merge(const Part& part) {
    const V nothing = A::Set(kNothing);
    const V zero = A::Set(0.0F);
    for (int group = 0; group < shape_.vectors; group += kLanes) {
      const V before = A::Load(total_.maxima + group);
      const V now = A::Load(part.maxima + group);
      const V maximum = A::Max(now, before);
      const V keep = A::SelectLess(nothing, before, Exp<A>(A::Sub(before, maximum)), zero);
      const V add = A::SelectLess(nothing, now, Exp<A>(A::Sub(now, maximum)), zero);
      const V kept = A::Mul(A::Load(total_.sums + group), keep);
      A::Store(total_.sums + group, A::Fma(A::Load(part.sums + group), add, kept));
      A::Store(total_.maxima + group, maximum);
      A::Store(factors_ + group, keep);
      float adds[kLanes];
      A::Store(adds, add);
      for (int i = 0; i < kLanes; ++i) MergeOutputs(part, group + i, adds[i]);
    }
  }

  void MergeOutputs(const Part& part, int vector, float add) {
    const std::int64_t row = std::int64_t{vector} * shape_.columns;
    const V keep = A::Set(factors_[vector]);
    const V weight = A::Set(add);
    for (int column = 0; column < shape_.columns; column += kLanes) {
      const V kept = A::Mul(A::Load(total_.outputs + row + column), keep);
      A::Store(total_.outputs + row + column,
               A::Fma(A::Load(part.outputs + row + column), weight, kept));
    }
  }

  // Divides by the sum of weights and rounds once. A vector that sees nothing is 0. The last
  // addition turns -0, which depends on how many zeros were added to it, into +0.
  void Finish() {
    for (int vector = 0; vector < job_.vectors; ++vector) {
      const V divisor = A::Set(Visible(vector) > 0 ? total_.sums[vector] : 1.0F);
      const float* from = total_.outputs + std::int64_t{vector} * shape_.columns;
      const std::int64_t to = Place(vector) * job_.value_dim;
      for (int column = 0; column < job_.value_dim; column += kColumns) {
        const V low = A::Load(from + column);
        const V high = A::Load(from + column + kLanes);
        const V halves[2] = {A::FirstHalf(low, high), A::SecondHalf(low, high)};
        for (int half = 0; half < 2; ++half) {
          const int at = column + half * kLanes;
          if (at >= job_.value_dim) break;
          const V mean = A::Add(A::Div(halves[half], divisor), A::Set(0.0F));
          StoreAs<A>(job_.output, DType::kBf16, to + at, mean, job_.value_dim - at);
        }
      }
    }
  }

  const AttentionTileJob& job_;
  const AttentionPairsShape shape_;
  float* queries_;  // [groups of 16][steps][16] pairs
  float* scores_;   // [tokens][vectors]
  float* weights_;  // [token_pairs][vectors] pairs
  float* factors_;  // [vectors]
  Part part_;
  Part total_;
};

}  // namespace baton
