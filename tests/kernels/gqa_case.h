// A random problem of grouped-query attention over shuffled, poisoned pages.
#pragma once

#include <utility>
#include <vector>

#include "kernels/common/fp8_page.h"
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
    plane_bytes_ =
        static_cast<std::size_t>(dims.tokens_per_page * dims.head_dim) * BytesOf(dims.cache_dtype);
    if (dims.cache_dtype == DType::kFp8E4m3) plane_bytes_ = Fp8Plane().Bytes();
    page_bytes_ = 24 + 2 * static_cast<std::size_t>(dims.kv_heads) * plane_bytes_;
    pages_ = PoisonedPages(table_.pages, page_bytes_);
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
    return {.sequences = static_cast<int>(table_.sequences.size()),
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
            .page_stride_bytes = page_bytes_,
            .output = output.data()};
  }

  std::int64_t row_elements() const { return std::int64_t{dims_.num_heads()} * dims_.head_dim; }
  std::int64_t rows() const { return table_.rows(); }

 private:
  Fp8HeadPlane Fp8Plane() const { return {dims_.tokens_per_page, dims_.head_dim}; }

  // Keys of all heads, then values of all heads, token by token.
  void FillPlanes(std::size_t sequence) {
    Random values(table_.sequences[sequence].identity * 2 + 1);
    for (int t = 0; t < table_.sequences[sequence].length; ++t) {
      const auto [page, place] = table_.PlaceOf(sequence, t);
      for (std::size_t plane = 0; plane < 2 * static_cast<std::size_t>(dims_.kv_heads); ++plane) {
        std::vector<float> row;
        for (int i = 0; i < dims_.head_dim; ++i) row.push_back(values.Normal());
        Store(row,
              pages_.data() + static_cast<std::size_t>(page) * page_bytes_ + plane * plane_bytes_,
              static_cast<std::size_t>(place));
      }
    }
  }

  void Store(const std::vector<float>& row, std::byte* plane, std::size_t place) const {
    const std::size_t at = place * row.size();
    if (dims_.cache_dtype == DType::kFp8E4m3) {
      QuantizeFp8Block(row.data(), dims_.head_dim, plane + at,
                       plane + Fp8Plane().ScaleOffset() + place * sizeof(float));
      return;
    }
    for (std::size_t i = 0; i < row.size(); ++i) {
      StoreElement(plane, dims_.cache_dtype, static_cast<std::int64_t>(at + i), row[i]);
    }
  }

  GqaDims dims_;
  PagedTable table_;
  std::size_t plane_bytes_ = 0;
  std::size_t page_bytes_ = 0;  // of a layer, then the other layers' share
  std::vector<std::byte> pages_;
  Tensor query_;
};

}  // namespace baton::testing
