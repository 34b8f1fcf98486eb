// The experts where everything is bf16 and the level multiplies pairs: one region for gate, up and
// their product, one for down, one for the weighted sum. The unit of the first two is (expert,
// block of columns); a job packs the rows that it needs, a chunk at a time, which costs less than a
// region of its own would.
#include <algorithm>

#include "kernels/cpu/drivers.h"
#include "kernels/cpu/pair_rows.h"
#include "kernels/expert_ffn/combine.h"

namespace baton {
namespace {

enum SharedUse { kIndexSlot, kInnerSlot, kDownSlot };

constexpr int kJobsAThread = 2;

class PairExpertPass {
 public:
  PairExpertPass(const CpuLevel& level, const ExpertFfnParams& params, Stream& stream)
      : level_(level),
        params_(params),
        stream_(stream),
        rows_(params, stream, kIndexSlot),
        inner_stride_(2 * WideRowStride((params.inter + 1) / 2)),
        down_stride_(WideRowStride(params.hidden)) {
    const auto routed = static_cast<std::size_t>(rows_.routed());
    inner_ = reinterpret_cast<std::uint16_t*>(
        stream.Scratch(stream.SharedSlot(kInnerSlot),
                       routed * static_cast<std::size_t>(inner_stride_) * sizeof(std::uint16_t)));
    down_ = ScratchFloats(stream, stream.SharedSlot(kDownSlot),
                          routed * static_cast<std::size_t>(down_stride_));
  }

  void Run() {
    ForEachBlock(params_.inter, params_.hidden, [this](const Block& block) { GateAndUp(block); });
    ForEachBlock(params_.hidden, params_.inter, [this](const Block& block) { Down(block); });
    CombineExperts(level_, params_, rows_, down_, down_stride_, stream_);
  }

 private:
  // Columns [column, column + columns) of one expert's matrices, and the memory of the worker that
  // has them.
  struct Block {
    int expert = 0;
    int column = 0;
    int columns = 0;
    float* sums = nullptr;    // of GemmPairsJob
    float* packed = nullptr;  // kPairChunkRows rows
    float* gate = nullptr;    // [kPairChunkRows][kPairColumnsMax]
    float* up = nullptr;
  };

  template <class Body>
  void ForEachBlock(int columns, int k, const Body& body) {
    const int jobs_wanted =
        (kJobsAThread * stream_.threads() + rows_.touched_count() - 1) / rows_.touched_count();
    const int rows = rows_.routed() / rows_.touched_count();
    const int block_columns =
        PairColumns(columns, {std::max(rows, kHalfPanelRows), k}, jobs_wanted);
    const int blocks = (columns + block_columns - 1) / block_columns;
    stream_.ForEach(rows_.touched_count() * blocks, [&](int worker, int item) {
      constexpr std::size_t kProduct = std::size_t{kPairChunkRows} * kPairColumnsMax;
      const auto packed = static_cast<std::size_t>(PairRows{kPairChunkRows, k}.floats() +
                                                   PairRows{kFewRowsMax, k}.floats());
      float* scratch = ScratchFloats(stream_, worker, PairScratchFloats() + 2 * kProduct + packed);
      const int column = item % blocks * block_columns;
      body(Block{.expert = rows_.touched(item / blocks),
                 .column = column,
                 .columns = std::min(block_columns, columns - column),
                 .sums = scratch,
                 .packed = scratch + PairScratchFloats() + 2 * kProduct,
                 .gate = scratch + PairScratchFloats(),
                 .up = scratch + PairScratchFloats() + kProduct});
    });
  }

  // body(first place, rows) over an expert's places, a chunk at a time.
  template <class Body>
  void ForEachChunk(int expert, const Body& body) const {
    const int end = rows_.end(expert);
    for (int place = rows_.begin(expert); place < end; place += kPairChunkRows) {
      body(place, std::min(kPairChunkRows, end - place));
    }
  }

  template <class RowAt>
  void Pack(const PairRows& shape, const RowAt& row, float* packed) const {
    for (int part = 0; part < shape.parts(); ++part) {
      PackPairPart(level_, shape, part, row, packed);
    }
  }

  // The block's columns of `matrix` ([..][k]) times packed rows.
  void Multiply(const Block& block, const PairRows& shape, const void* matrix, float* to,
                std::int64_t to_stride) const {
    level_.gemm_pairs(
        {.rows = shape.rows,
         .columns = block.columns,
         .k = shape.k,
         .a = block.packed,
         .a_stride = shape.stride(),
         .b = static_cast<const std::uint16_t*>(matrix) + std::int64_t{block.column} * shape.k,
         .b_stride = shape.k,
         .c = to,
         .c_dtype = DType::kF32,
         .c_stride = to_stride,
         .scratch = block.sums});
  }

  void GateAndUp(const Block& block) const {
    const auto* x = static_cast<const std::uint16_t*>(params_.x);
    ForEachChunk(block.expert, [&](int place, int rows) {
      const PairRows shape{rows, params_.hidden};
      const auto row_at = [&](int row) {
        const std::int64_t token = rows_.pair_of(place + row) / params_.top_k;
        return x + token * params_.hidden;
      };
      Pack(shape, row_at, block.packed);
      Multiply(block, shape, params_.gate[block.expert], block.gate, kPairColumnsMax);
      Multiply(block, shape, params_.up[block.expert], block.up, kPairColumnsMax);
      for (int row = 0; row < rows; ++row) {
        float* gate = block.gate + row * kPairColumnsMax;
        level_.silu_mul(gate, block.up + row * kPairColumnsMax, gate, DType::kF32, block.columns);
        level_.narrow(gate, inner_ + (place + row) * inner_stride_ + block.column, DType::kBf16,
                      block.columns);
      }
    });
  }

  void Down(const Block& block) const {
    ForEachChunk(block.expert, [&](int place, int rows) {
      const PairRows shape{rows, params_.inter};
      Pack(
          shape, [&](int row) { return inner_ + (place + row) * inner_stride_; }, block.packed);
      Multiply(block, shape, params_.down[block.expert],
               down_ + place * down_stride_ + block.column, down_stride_);
    });
  }

  const CpuLevel& level_;
  const ExpertFfnParams& params_;
  Stream& stream_;
  const ExpertRows rows_;
  const std::int64_t inner_stride_;  // elements
  const std::int64_t down_stride_;   // floats
  std::uint16_t* inner_;             // [routed][inner_stride] bf16
  float* down_;                      // [routed][down_stride]
};

}  // namespace

void CpuExpertFfnPairs(const CpuLevel& level, const ExpertFfnParams& params, Stream& stream) {
  PairExpertPass(level, params, stream).Run();
}

}  // namespace baton
