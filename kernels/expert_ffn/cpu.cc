// Rows are sorted by expert, each (token, expert) pair keeping a place of its own: one region for
// gate, up and their product, one for down, one for the weighted sum, which runs in the order of
// ids and never in that of arrival. The unit of the first two is (expert, panel of columns).
#include <algorithm>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/cpu/drivers.h"
#include "kernels/expert_ffn/combine.h"

namespace baton {
namespace {

enum SharedUse { kIndexSlot, kInputSlot, kInnerSlot, kDownSlot };

class ExpertPass {
 public:
  ExpertPass(const CpuLevel& level, const ExpertFfnParams& params, Stream& stream)
      : level_(level),
        params_(params),
        stream_(stream),
        rows_(params, stream, kIndexSlot),
        input_stride_(WideRowStride(params.hidden)),
        inner_stride_(WideRowStride(params.inter)) {
    const auto matrix = [&](SharedUse use, std::int64_t stride) {
      return ScratchFloats(
          stream, stream.SharedSlot(use),
          static_cast<std::size_t>(rows_.routed()) * static_cast<std::size_t>(stride));
    };
    input_ = matrix(kInputSlot, input_stride_);
    inner_ = matrix(kInnerSlot, inner_stride_);
    down_ = matrix(kDownSlot, input_stride_);
  }

  void Run() {
    GatherInput();
    const int touched = rows_.touched_count();
    const int inner_panels = (params_.inter + level_.panel_width - 1) / level_.panel_width;
    stream_.ForEach(touched * inner_panels, [&](int worker, int item) {
      GateAndUp(worker, rows_.touched(item / inner_panels),
                item % inner_panels * level_.panel_width);
    });
    const int down_panels = (params_.hidden + level_.panel_width - 1) / level_.panel_width;
    stream_.ForEach(touched * down_panels, [&](int worker, int item) {
      Down(worker, rows_.touched(item / down_panels), item % down_panels * level_.panel_width);
    });
    CombineExperts(level_, params_, rows_, down_, input_stride_, stream_);
  }

 private:
  void GatherInput() {
    stream_.ParallelFor(rows_.routed(), [&](int first, int last) {
      for (std::int64_t place = first; place < last; ++place) {
        const std::int64_t token = rows_.pair_of(place) / params_.top_k;
        level_.widen(ElementAt(params_.x, params_.activation, token * params_.hidden),
                     params_.activation, input_ + place * input_stride_, params_.hidden);
      }
    });
  }

  // Runs `weights` rows [column, ...) over the rows of `expert`, kGemmRowsMax at a time, and hands
  // each finished block to `after`(first place, rows, columns).
  struct Panel {
    const void* weights = nullptr;
    const float* from = nullptr;
    std::int64_t from_stride = 0;
    int k = 0;
    int columns = 0;
    float* to = nullptr;
    std::int64_t to_stride = 0;
  };
  void Multiply(const Panel& panel, int place, int rows, float* scratch) const {
    level_.gemm_panel({.rows = rows,
                       .columns = panel.columns,
                       .k = panel.k,
                       .a = panel.from + place * panel.from_stride,
                       .a_stride = panel.from_stride,
                       .b = panel.weights,
                       .b_dtype = params_.weight_dtype,
                       .b_stride = panel.k,
                       .c = panel.to,
                       .c_dtype = DType::kF32,
                       .c_stride = panel.to_stride,
                       .scratch = scratch});
  }

  void GateAndUp(int worker, int expert, int column) {
    float* scratch = ScratchFloats(
        stream_, worker, level_.gemm_scratch_floats + std::size_t{kGemmRowsMax} * kPanelWidthMax);
    float* up = scratch + level_.gemm_scratch_floats;
    const int columns = std::min(level_.panel_width, params_.inter - column);
    const std::int64_t weights = std::int64_t{column} * params_.hidden;
    Panel panel{
        .from = input_, .from_stride = input_stride_, .k = params_.hidden, .columns = columns};
    for (int place = rows_.begin(expert); place < rows_.end(expert); place += kGemmRowsMax) {
      const int rows = std::min(kGemmRowsMax, rows_.end(expert) - place);
      float* gate = inner_ + place * inner_stride_ + column;
      panel.weights = ElementAt(params_.gate[expert], params_.weight_dtype, weights);
      panel.to = gate;
      panel.to_stride = inner_stride_;
      Multiply(panel, place, rows, scratch);
      panel.weights = ElementAt(params_.up[expert], params_.weight_dtype, weights);
      panel.to = up;
      panel.to_stride = kPanelWidthMax;
      Multiply(panel, place, rows, scratch);
      for (std::int64_t row = 0; row < rows; ++row) {
        float* gate_row = gate + row * inner_stride_;
        level_.silu_mul(gate_row, up + row * kPanelWidthMax, gate_row, DType::kF32, columns);
        Round(gate_row, columns);
      }
    }
  }

  // To what the activation's type keeps.
  void Round(float* values, int count) const {
    if (params_.activation == DType::kF32) return;
    std::uint16_t kept[kPanelWidthMax];
    level_.narrow(values, kept, params_.activation, count);
    level_.widen(kept, params_.activation, values, count);
  }

  void Down(int worker, int expert, int column) {
    float* scratch = ScratchFloats(stream_, worker, level_.gemm_scratch_floats);
    const std::int64_t weights = std::int64_t{column} * params_.inter;
    Panel panel{.weights = ElementAt(params_.down[expert], params_.weight_dtype, weights),
                .from = inner_,
                .from_stride = inner_stride_,
                .k = params_.inter,
                .columns = std::min(level_.panel_width, params_.hidden - column),
                .to_stride = input_stride_};
    for (int place = rows_.begin(expert); place < rows_.end(expert); place += kGemmRowsMax) {
      panel.to = down_ + place * input_stride_ + column;
      Multiply(panel, place, std::min(kGemmRowsMax, rows_.end(expert) - place), scratch);
    }
  }

  const CpuLevel& level_;
  const ExpertFfnParams& params_;
  Stream& stream_;
  const ExpertRows rows_;
  const std::int64_t input_stride_;  // floats
  const std::int64_t inner_stride_;  // floats
  float* input_;                     // [routed][input_stride]
  float* inner_;                     // [routed][inner_stride]
  float* down_;                      // [routed][input_stride]
};

}  // namespace

absl::Status CpuExpertFfn(const CpuLevel& level, const ExpertFfnParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  if (params.tokens == 0) return absl::OkStatus();
  if (level.gemm_pairs != nullptr && params.activation == DType::kBf16 &&
      params.weight_dtype == DType::kBf16) {
    CpuExpertFfnPairs(level, params, stream);
    return absl::OkStatus();
  }
  ExpertPass(level, params, stream).Run();
  return absl::OkStatus();
}

}  // namespace baton
