// A random problem of latent attention over shuffled, poisoned pages.
#pragma once

#include <utility>
#include <vector>

#include "tests/kernels/paged_case.h"

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

class MlaCase {
 public:
  /// `shuffle` as in PagedTable.
  MlaCase(const MlaDims& dims, std::vector<PagedSequence> sequences, std::uint32_t shuffle)
      : dims_(dims), table_(dims.tokens_per_page, std::move(sequences), shuffle) {
    page_elements_ = std::int64_t{dims.tokens_per_page} * dims.dim() + 24;
    pages_ = Tensor(dims.cache_dtype, table_.pages * page_elements_);
    for (std::size_t s = 0; s < table_.sequences.size(); ++s) FillKeys(s);
    const std::int64_t row = std::int64_t{dims.num_heads} * dims.dim();
    query_ = Tensor(dims.activation, table_.rows() * row);
    table_.FillQueries(query_, row);
  }

  /// The output of every row: [rows][num_heads][latent_dim].
  Tensor Run(const Backend& backend, int threads = 1) const {
    Tensor output(dims_.activation, rows() * row_elements());
    PoisonedStream stream(threads);
    const absl::Status status = backend.mla_decode(Params(output), stream);
    EXPECT_TRUE(status.ok()) << status.message();
    return output;
  }

  MlaDecodeParams Params(Tensor& output) const {
    return {
        .sequences = static_cast<int>(table_.sequences.size()),
        .num_heads = dims_.num_heads,
        .latent_dim = dims_.latent_dim,
        .rope_dim = dims_.rope_dim,
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

  std::int64_t row_elements() const { return std::int64_t{dims_.num_heads} * dims_.latent_dim; }
  std::int64_t rows() const { return table_.rows(); }

 private:
  void FillKeys(std::size_t sequence) {
    Random keys(table_.sequences[sequence].identity * 2 + 1);
    for (int t = 0; t < table_.sequences[sequence].length; ++t) {
      const auto [page, place] = table_.PlaceOf(sequence, t);
      const std::int64_t at = page * page_elements_ + std::int64_t{place} * dims_.dim();
      for (int i = 0; i < dims_.dim(); ++i) pages_.Set(at + i, keys.Normal());
    }
  }

  MlaDims dims_;
  PagedTable table_;
  std::int64_t page_elements_ = 0;  // rows of a page, then the other layers' share
  Tensor pages_;
  Tensor query_;
};

}  // namespace baton::testing
