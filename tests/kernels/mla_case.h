// A random attention problem over shuffled, poisoned pages: what is not part of it is NaN, or a
// page number that points nowhere.
#pragma once

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/kernels/tensor.h"

namespace baton::testing {

struct MlaDims {
  int num_heads = 1;
  int latent_dim = 32;
  int rope_dim = 8;
  int tokens_per_page = 16;
  DType activation = DType::kBf16;
  DType cache_dtype = DType::kBf16;
  int dim() const { return latent_dim + rope_dim; }
};

/// Rows and tokens of one sequence; its contents depend on `identity` alone.
struct MlaSequence {
  std::uint32_t identity = 0;
  int rows = 1;
  int length = 1;  // tokens in the cache; the last row sees them all
};

class MlaCase {
 public:
  static constexpr std::int32_t kNowhere = 2147480000;

  /// `shuffle` chooses page numbers; two cases that differ in it alone are the same problem.
  MlaCase(const MlaDims& dims, std::vector<MlaSequence> sequences, std::uint32_t shuffle)
      : dims_(dims), sequences_(std::move(sequences)) {
    int pages = 0;
    std::int64_t rows = 0;
    for (const MlaSequence& s : sequences_) {
      pages += PagesOf(s);
      rows += s.rows;
      max_pages_ = std::max(max_pages_, PagesOf(s) + 2);
    }
    page_elements_ = std::int64_t{dims.tokens_per_page} * dims.dim() + 24;
    pages_ = Tensor(dims.cache_dtype, (pages + 3) * page_elements_);
    query_ = Tensor(dims.activation, rows * dims.num_heads * dims.dim());
    std::vector<std::int32_t> free(static_cast<std::size_t>(pages + 3));
    std::iota(free.begin(), free.end(), 0);
    Random shuffler(shuffle);
    std::shuffle(free.begin(), free.end(), shuffler.engine());
    for (const MlaSequence& s : sequences_) Fill(s, free);
  }

  /// The output of every row: [rows][num_heads][latent_dim].
  Tensor Run(const Backend& backend, int threads = 1) const {
    Tensor output(dims_.activation,
                  std::int64_t{row_starts_.back()} * dims_.num_heads * dims_.latent_dim);
    PoisonedStream stream(threads);
    const absl::Status status = backend.mla_decode(Params(output), stream);
    EXPECT_TRUE(status.ok()) << status.message();
    return output;
  }

  MlaDecodeParams Params(Tensor& output) const {
    return {
        .sequences = static_cast<int>(sequences_.size()),
        .num_heads = dims_.num_heads,
        .latent_dim = dims_.latent_dim,
        .rope_dim = dims_.rope_dim,
        .tokens_per_page = dims_.tokens_per_page,
        .softmax_scale = 0.3F,
        .activation = dims_.activation,
        .cache_dtype = dims_.cache_dtype,
        .row_starts = row_starts_.data(),
        .lengths = lengths_.data(),
        .block_table = table_.data(),
        .max_pages = max_pages_,
        .query = query_.data(),
        .pages = pages_.data(),
        .page_stride_bytes = static_cast<std::size_t>(page_elements_) * BytesOf(dims_.cache_dtype),
        .output = output.data()};
  }

  std::int64_t row_elements() const { return std::int64_t{dims_.num_heads} * dims_.latent_dim; }
  std::int64_t rows() const { return row_starts_.back(); }

 private:
  int PagesOf(const MlaSequence& s) const {
    return (s.length + dims_.tokens_per_page - 1) / dims_.tokens_per_page;
  }

  void Fill(const MlaSequence& s, std::vector<std::int32_t>& free) {
    Random keys(s.identity * 2 + 1);
    for (int page = 0; page < max_pages_; ++page) {
      if (page >= PagesOf(s)) {
        table_.push_back(page % 2 == 0 ? -1 : kNowhere);
        continue;
      }
      table_.push_back(free.back());
      free.pop_back();
    }
    const auto first = table_.end() - max_pages_;
    for (int t = 0; t < s.length; ++t) {
      const std::int64_t at = first[t / dims_.tokens_per_page] * page_elements_ +
                              std::int64_t{t % dims_.tokens_per_page} * dims_.dim();
      for (int i = 0; i < dims_.dim(); ++i) pages_.Set(at + i, keys.Normal());
    }
    FillQueries(s);
    row_starts_.push_back(row_starts_.back() + s.rows);
    lengths_.push_back(s.length);
  }

  // A query's contents depend on the identity and its position in the sequence.
  void FillQueries(const MlaSequence& s) {
    for (int row = 0; row < s.rows; ++row) {
      const int position = s.length - s.rows + row;
      Random queries(s.identity * 100003 + static_cast<std::uint32_t>(position) * 2);
      const std::int64_t at =
          std::int64_t{row_starts_.back() + row} * dims_.num_heads * dims_.dim();
      for (std::int64_t i = 0; i < std::int64_t{dims_.num_heads} * dims_.dim(); ++i) {
        query_.Set(at + i, queries.Normal());
      }
    }
  }

  MlaDims dims_;
  std::vector<MlaSequence> sequences_;
  std::vector<std::int32_t> row_starts_{0};
  std::vector<std::int32_t> lengths_;
  std::vector<std::int32_t> table_;
  int max_pages_ = 0;
  std::int64_t page_elements_ = 0;  // rows of a page, then the other layers' share
  Tensor pages_;
  Tensor query_;
};

}  // namespace baton::testing
