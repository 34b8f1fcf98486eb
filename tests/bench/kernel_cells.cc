#include "tests/bench/kernel_cells.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <random>

#include "absl/strings/str_format.h"
#include "kernels/common/float_bits.h"

namespace baton::bench {
namespace {

using Words = std::vector<std::uint16_t>;  // bf16

Words RandomWords(std::size_t count) {
  std::mt19937 engine(17);
  std::uniform_real_distribution<float> value(-1.0F, 1.0F);
  Words words(count);
  for (std::uint16_t& word : words) word = FloatToBf16(value(engine));
  return words;
}

std::size_t Product(int x, int y, int z) {
  return static_cast<std::size_t>(x) * static_cast<std::size_t>(y) * static_cast<std::size_t>(z);
}

struct GemmShape {
  const char* of;
  int m, n, k, batch;
};

// Weights in as many copies as no last-level cache holds.
class GemmCell : public Cell {
 public:
  GemmCell(const GemmShape& shape, const Backend& backend, Stream& stream)
      : backend_(backend),
        stream_(stream),
        weights_(Product(shape.batch, shape.n, shape.k)),
        copies_(std::clamp<std::size_t>(kColdWords / weights_, 1, kCopiesMax)),
        a_(RandomWords(Product(shape.batch, shape.m, shape.k))),
        b_(weights_ * copies_, FloatToBf16(0.25F)),
        c_(Product(shape.batch, shape.m, shape.n)),
        params_{.m = shape.m,
                .n = shape.n,
                .k = shape.k,
                .batch = shape.batch,
                .a = a_.data(),
                .c = c_.data(),
                .a_batch_stride = std::int64_t{shape.m} * shape.k,
                .b_batch_stride = std::int64_t{shape.n} * shape.k,
                .c_batch_stride = std::int64_t{shape.m} * shape.n} {
    name_ = absl::StrFormat("gemm %s m%d n%d k%d x%d", shape.of, shape.m, shape.n, shape.k,
                            shape.batch);
    cost_ = CostOf(params_);
  }

  absl::Status Call(int number) override {
    params_.b = b_.data() + weights_ * (static_cast<std::size_t>(number) % copies_);
    return backend_.gemm(params_, stream_);
  }

 private:
  static constexpr std::size_t kColdWords = std::size_t{48} << 20;
  static constexpr std::size_t kCopiesMax = 64;

  const Backend& backend_;
  Stream& stream_;
  const std::size_t weights_;
  const std::size_t copies_;
  const Words a_;
  const Words b_;
  Words c_;
  GemmParams params_;
};

struct AttentionShape {
  int sequences, rows, length, heads;
};

// Sequences of one length over pages of 64 tokens in shuffled order.
struct PagedBatch {
  static constexpr int kTokens = 64;

  explicit PagedBatch(const AttentionShape& shape) : pages((shape.length + kTokens - 1) / kTokens) {
    table.resize(Product(shape.sequences, pages, 1));
    std::iota(table.begin(), table.end(), 0);
    std::shuffle(table.begin(), table.end(), std::mt19937(5));
    for (int s = 0; s <= shape.sequences; ++s) row_starts.push_back(s * shape.rows);
    lengths.assign(static_cast<std::size_t>(shape.sequences), shape.length);
  }

  const int pages;  // of a sequence
  std::vector<std::int32_t> row_starts, lengths, table;
};

// DeepSeek's geometry: latent 512, rope 64.
class MlaCell : public Cell {
 public:
  MlaCell(const AttentionShape& shape, const Backend& backend, Stream& stream)
      : backend_(backend), stream_(stream), batch_(shape) {
    pages_ = RandomWords(Product(shape.sequences * batch_.pages, PagedBatch::kTokens, kDim));
    query_ = RandomWords(Product(shape.sequences * shape.rows, shape.heads, kDim));
    output_.resize(Product(shape.sequences * shape.rows, shape.heads, kLatent));
    params_ = {.sequences = shape.sequences,
               .num_heads = shape.heads,
               .latent_dim = kLatent,
               .rope_dim = kDim - kLatent,
               .tokens_per_page = PagedBatch::kTokens,
               .softmax_scale = 0.07F,
               .row_starts = batch_.row_starts.data(),
               .lengths = batch_.lengths.data(),
               .block_table = batch_.table.data(),
               .max_pages = batch_.pages,
               .query = query_.data(),
               .pages = reinterpret_cast<const std::byte*>(pages_.data()),
               .page_stride_bytes = std::size_t{PagedBatch::kTokens} * kDim * 2,
               .output = output_.data()};
    name_ = absl::StrFormat("mla_decode b%d rows%d len%d heads%d", shape.sequences, shape.rows,
                            shape.length, shape.heads);
    cost_ = CostOf(params_);
  }

  absl::Status Call(int) override { return backend_.mla_decode(params_, stream_); }

 private:
  static constexpr int kLatent = 512;
  static constexpr int kDim = 576;

  const Backend& backend_;
  Stream& stream_;
  const PagedBatch batch_;
  Words pages_, query_, output_;
  MlaDecodeParams params_;
};

// Llama-3-8B's geometry: 8 KV heads of 128.
class GqaCell : public Cell {
 public:
  GqaCell(const AttentionShape& shape, const Backend& backend, Stream& stream)
      : backend_(backend), stream_(stream), batch_(shape) {
    pages_ = RandomWords(
        Product(shape.sequences * batch_.pages, PagedBatch::kTokens, 2 * kKvHeads * kDim));
    query_ = RandomWords(Product(shape.sequences * shape.rows, shape.heads, kDim));
    output_.resize(query_.size());
    params_ = {.sequences = shape.sequences,
               .num_heads = shape.heads,
               .kv_heads = kKvHeads,
               .head_dim = kDim,
               .tokens_per_page = PagedBatch::kTokens,
               .softmax_scale = 0.09F,
               .row_starts = batch_.row_starts.data(),
               .lengths = batch_.lengths.data(),
               .block_table = batch_.table.data(),
               .max_pages = batch_.pages,
               .query = query_.data(),
               .pages = reinterpret_cast<const std::byte*>(pages_.data()),
               .page_stride_bytes = std::size_t{PagedBatch::kTokens} * 2 * kKvHeads * kDim * 2,
               .output = output_.data()};
    name_ = absl::StrFormat("gqa_decode b%d rows%d len%d heads%d", shape.sequences, shape.rows,
                            shape.length, shape.heads);
    cost_ = CostOf(params_);
  }

  absl::Status Call(int) override { return backend_.gqa_decode(params_, stream_); }

 private:
  static constexpr int kKvHeads = 8;
  static constexpr int kDim = 128;

  const Backend& backend_;
  Stream& stream_;
  const PagedBatch batch_;
  Words pages_, query_, output_;
  GqaDecodeParams params_;
};

}  // namespace

std::vector<std::function<std::unique_ptr<Cell>(const Backend&, Stream&)>> KernelCells() {
  std::vector<std::function<std::unique_ptr<Cell>(const Backend&, Stream&)>> cells;
  constexpr GemmShape kGemms[] = {
      {"dense", 1, 4096, 1024, 1},        {"dense", 8, 4096, 1024, 1},
      {"dense", 64, 4096, 1024, 1},       {"dense", 512, 4096, 1024, 1},
      {"recall q", 1, 3072, 192, 1},      {"recall q", 512, 3072, 192, 1},
      {"recall kv", 512, 576, 192, 1},    {"recall absorb", 512, 512, 128, 16},
      {"recall absorb", 1, 512, 128, 16}, {"recall out", 512, 192, 2048, 1}};
  for (const GemmShape& shape : kGemms) {
    cells.push_back([shape](const Backend& backend, Stream& stream) {
      return std::make_unique<GemmCell>(shape, backend, stream);
    });
  }
  constexpr AttentionShape kMlas[] = {{1, 1, 4096, 16},  {8, 1, 512, 16},   {8, 1, 4096, 16},
                                      {1, 1, 4096, 128}, {1, 512, 512, 16}, {1, 512, 4096, 16}};
  for (const AttentionShape& shape : kMlas) {
    cells.push_back([shape](const Backend& backend, Stream& stream) {
      return std::make_unique<MlaCell>(shape, backend, stream);
    });
  }
  constexpr AttentionShape kGqas[] = {{1, 1, 4096, 32}, {8, 1, 4096, 32}, {1, 512, 4096, 32}};
  for (const AttentionShape& shape : kGqas) {
    cells.push_back([shape](const Backend& backend, Stream& stream) {
      return std::make_unique<GqaCell>(shape, backend, stream);
    });
  }
  return cells;
}

}  // namespace baton::bench
