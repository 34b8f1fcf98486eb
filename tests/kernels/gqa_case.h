// A random problem of grouped-query attention over shuffled, poisoned pages.
#pragma once

#include <utility>
#include <vector>

#include "tests/kernels/paged_case.h"

namespace baton::testing {

struct GqaDims {
  int group = 1;  // query heads a KV head
  int kv_heads = 1;
  int head_dim = 32;
  int tokens_per_page = 16;
  DType activation = DType::kBf16;
  DType cache_dtype = DType::kBf16;
  int num_heads() const { return group * kv_heads; }
};

class GqaCase {
 public:
  /// `shuffle` as in PagedTable.
  GqaCase(const GqaDims& dims, std::vector<PagedSequence> sequences, std::uint32_t shuffle)
      : dims_(dims), table_(dims.tokens_per_page, std::move(sequences), shuffle) {
    page_elements_ = std::int64_t{2} * dims.kv_heads * dims.tokens_per_page * dims.head_dim + 24;
    pages_ = Tensor(dims.cache_dtype, table_.pages * page_elements_);
    for (std::size_t s = 0; s < table_.sequences.size(); ++s) FillPlanes(s);
    query_ = Tensor(dims.activation, rows() * row_elements());
    table_.FillQueries(query_, row_elements());
  }

  /// The output of every row: [rows][num_heads][head_dim].
  Tensor Run(const Backend& backend, int threads = 1) const {
    Tensor output(dims_.activation, rows() * row_elements());
    PoisonedStream stream(threads);
    const absl::Status status = backend.gqa_decode(Params(output), stream);
    EXPECT_TRUE(status.ok()) << status.message();
    return output;
  }

  GqaDecodeParams Params(Tensor& output) const {
    return {
        .sequences = static_cast<int>(table_.sequences.size()),
        .num_heads = dims_.num_heads(),
        .kv_heads = dims_.kv_heads,
        .head_dim = dims_.head_dim,
        .tokens_per_page = dims_.tokens_per_page,
        .softmax_scale = 0.3F,
        .activation = dims_.activation,
        .cache_dtype = dims_.cache_dtype,
        .row_starts = table_.row_starts.data(),
        .lengths = table_.lengths.data(),
        .block_table = table_.block_table.data(),
        .max_pages = table_.max_pages,
        .query = query_.data(),
        .pages = pages_.data(),
        .page_stride_bytes = static_cast<std::size_t>(page_elements_) * BytesOf(dims_.cache_dtype),
        .output = output.data()};
  }

  std::int64_t row_elements() const { return std::int64_t{dims_.num_heads()} * dims_.head_dim; }
  std::int64_t rows() const { return table_.rows(); }

 private:
  // Keys of all heads, then values of all heads, token by token.
  void FillPlanes(std::size_t sequence) {
    Random values(table_.sequences[sequence].identity * 2 + 1);
    for (int t = 0; t < table_.sequences[sequence].length; ++t) {
      const auto [page, place] = table_.PlaceOf(sequence, t);
      for (int plane = 0; plane < 2 * dims_.kv_heads; ++plane) {
        const std::int64_t row = std::int64_t{plane} * dims_.tokens_per_page + place;
        const std::int64_t at = page * page_elements_ + row * dims_.head_dim;
        for (int i = 0; i < dims_.head_dim; ++i) pages_.Set(at + i, values.Normal());
      }
    }
  }

  GqaDims dims_;
  PagedTable table_;
  std::int64_t page_elements_ = 0;  // planes of a page, then the other layers' share
  Tensor pages_;
  Tensor query_;
};

}  // namespace baton::testing
