// Products of bf16 by bf16 where the level multiplies pairs: rows are packed once, then the work is
// cut into (product, block of columns).
#include <algorithm>

#include "kernels/common/elements.h"
#include "kernels/cpu/drivers.h"
#include "kernels/cpu/pair_rows.h"

namespace baton {
namespace {

constexpr int kJobsAThread = 3;  // so that one slow job does not leave the other threads waiting

class PairProduct {
 public:
  PairProduct(const CpuLevel& level, const GemmParams& params, Stream& stream)
      : level_(level),
        params_(params),
        stream_(stream),
        rows_{params.m, params.k},
        columns_(PairColumns(params.n, rows_,
                             (kJobsAThread * stream.threads() + params.batch - 1) / params.batch)),
        blocks_((params.n + columns_ - 1) / columns_),
        packed_(ScratchFloats(stream, stream.SharedSlot(0),
                              static_cast<std::size_t>(params.batch * rows_.floats()))) {}

  void Run() {
    stream_.ParallelFor(params_.batch * rows_.parts(), [&](int first, int last) {
      for (int item = first; item < last; ++item) Pack(item / rows_.parts(), item % rows_.parts());
    });
    stream_.ForEach(params_.batch * blocks_, [&](int worker, int item) {
      GemmPairsJob job = JobOf(item / blocks_, item % blocks_ * columns_);
      job.scratch = ScratchFloats(stream_, worker, PairScratchFloats());
      level_.gemm_pairs(job);
    });
  }

 private:
  void Pack(std::int64_t product, int part) const {
    const auto* a = static_cast<const std::uint16_t*>(params_.a) + product * params_.a_batch_stride;
    PackPairPart(
        level_, rows_, part, [&](std::int64_t row) { return a + row * params_.ARowStride(); },
        packed_ + product * rows_.floats());
  }

  GemmPairsJob JobOf(std::int64_t product, int column) const {
    const std::int64_t b = product * params_.b_batch_stride + column * params_.BRowStride();
    const std::int64_t c = product * params_.c_batch_stride + column;
    const auto* bias = static_cast<const std::uint16_t*>(params_.bias);
    return {.rows = params_.m,
            .columns = std::min(columns_, params_.n - column),
            .k = params_.k,
            .a = packed_ + product * rows_.floats(),
            .a_stride = rows_.stride(),
            .b = static_cast<const std::uint16_t*>(params_.b) + b,
            .b_stride = params_.BRowStride(),
            .bias = bias == nullptr ? nullptr : bias + column,
            .c = ElementAt(params_.c, params_.c_dtype, c),
            .c_dtype = params_.c_dtype,
            .c_stride = params_.CRowStride()};
  }

  const CpuLevel& level_;
  const GemmParams& params_;
  Stream& stream_;
  const PairRows rows_;
  const int columns_;  // of a job
  const int blocks_;
  float* const packed_;  // [batch] of PairRows
};

}  // namespace

void CpuGemmPairs(const CpuLevel& level, const GemmParams& params, Stream& stream) {
  PairProduct(level, params, stream).Run();
}

}  // namespace baton
