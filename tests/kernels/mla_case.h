// A random problem of latent attention over shuffled, poisoned pages.
#pragma once

#include <utility>
#include <vector>

#include "kernels/common/fp8_page.h"
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
    page_bytes_ = 24 + static_cast<std::size_t>(dims.tokens_per_page * dims.dim()) *
                           BytesOf(dims.cache_dtype);
    if (dims.cache_dtype == DType::kFp8E4m3) {
      page_bytes_ = 24 + Fp8Page().ScaleOffset() +
                    static_cast<std::size_t>(dims.tokens_per_page) * Fp8Page().ScaleBytes();
    }
    pages_ = PoisonedPages(table_.pages, page_bytes_);
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
    return {.sequences = static_cast<int>(table_.sequences.size()),
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
            .page_stride_bytes = page_bytes_,
            .output = output.data()};
  }

  std::int64_t row_elements() const { return std::int64_t{dims_.num_heads} * dims_.latent_dim; }
  std::int64_t rows() const { return table_.rows(); }

 private:
  Fp8LatentPage Fp8Page() const {
    return {dims_.tokens_per_page, dims_.latent_dim, dims_.rope_dim};
  }

  void FillKeys(std::size_t sequence) {
    Random keys(table_.sequences[sequence].identity * 2 + 1);
    for (int t = 0; t < table_.sequences[sequence].length; ++t) {
      const auto [page, place] = table_.PlaceOf(sequence, t);
      std::byte* layer = pages_.data() + static_cast<std::size_t>(page) * page_bytes_;
      std::vector<float> row;
      for (int i = 0; i < dims_.dim(); ++i) row.push_back(keys.Normal());
      if (dims_.cache_dtype == DType::kFp8E4m3) {
        StoreFp8(row, layer, static_cast<std::size_t>(place));
        continue;
      }
      for (int i = 0; i < dims_.dim(); ++i) {
        StoreElement(layer, dims_.cache_dtype, std::int64_t{place} * dims_.dim() + i,
                     row[static_cast<std::size_t>(i)]);
      }
    }
  }

  void StoreFp8(const std::vector<float>& row, std::byte* layer, std::size_t place) const {
    const Fp8LatentPage page = Fp8Page();
    std::byte* latent = layer + place * static_cast<std::size_t>(dims_.latent_dim);
    std::byte* scale = layer + page.ScaleOffset() + place * page.ScaleBytes();
    for (int first = 0; first < dims_.latent_dim; first += kFp8Block) {
      QuantizeFp8Block(row.data() + first, std::min(kFp8Block, dims_.latent_dim - first),
                       latent + first, scale);
      scale += sizeof(float);
    }
    for (int i = 0; i < dims_.rope_dim; ++i) {
      StoreElement(layer + page.RopeOffset() + place * page.RopeBytes(), DType::kBf16, i,
                   row[static_cast<std::size_t>(dims_.latent_dim + i)]);
    }
  }

  MlaDims dims_;
  PagedTable table_;
  std::size_t page_bytes_ = 0;  // of a layer, then the other layers' share
  std::vector<std::byte> pages_;
  Tensor query_;
};

}  // namespace baton::testing
