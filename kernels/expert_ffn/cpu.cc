// Rows are sorted by expert, each (token, expert) pair keeping a place of its own: one region for
// gate, up and their product, one for down, one for the weighted sum, which runs in the order of
// ids and never in that of arrival. The unit of the first two is (expert, panel of columns).
#include <algorithm>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/cpu/drivers.h"

namespace baton {
namespace {

enum SharedUse { kIndexSlot, kInputSlot, kInnerSlot, kDownSlot };

class ExpertPass {
 public:
  ExpertPass(const CpuLevel& level, const ExpertFfnParams& params, Stream& stream)
      : level_(level),
        params_(params),
        stream_(stream),
        routed_(params.tokens * params.top_k),
        input_stride_(WideRowStride(params.hidden)),
        inner_stride_(WideRowStride(params.inter)) {
    const auto experts = static_cast<std::size_t>(params.experts);
    const auto routed = static_cast<std::size_t>(routed_);
    const std::size_t entries = 2 * experts + 1 + 2 * routed;
    starts_ = reinterpret_cast<std::int32_t*>(
        stream.Scratch(stream.SharedSlot(kIndexSlot), entries * sizeof(std::int32_t)));
    touched_ = starts_ + experts + 1;
    pair_of_ = touched_ + experts;
    place_of_ = pair_of_ + routed;
    const auto matrix = [&](SharedUse use, std::int64_t stride) {
      return ScratchFloats(stream, stream.SharedSlot(use),
                           routed * static_cast<std::size_t>(stride));
    };
    input_ = matrix(kInputSlot, input_stride_);
    inner_ = matrix(kInnerSlot, inner_stride_);
    down_ = matrix(kDownSlot, input_stride_);
  }

  void Run() {
    SortByExpert();
    GatherInput();
    const int inner_panels = (params_.inter + level_.panel_width - 1) / level_.panel_width;
    stream_.ForEach(touched_count_ * inner_panels, [&](int worker, int item) {
      GateAndUp(worker, touched_[item / inner_panels], item % inner_panels * level_.panel_width);
    });
    const int down_panels = (params_.hidden + level_.panel_width - 1) / level_.panel_width;
    stream_.ForEach(touched_count_ * down_panels, [&](int worker, int item) {
      Down(worker, touched_[item / down_panels], item % down_panels * level_.panel_width);
    });
    stream_.ForEach(params_.tokens, [&](int worker, int token) { Combine(worker, token); });
  }

 private:
  // A stable counting sort of (token, choice) pairs.
  void SortByExpert() {
    std::fill(starts_, starts_ + params_.experts + 1, 0);
    for (int pair = 0; pair < routed_; ++pair) ++starts_[params_.ids[pair] + 1];
    for (int e = 0; e < params_.experts; ++e) {
      if (starts_[e + 1] > 0) touched_[touched_count_++] = e;
      starts_[e + 1] += starts_[e];
    }
    for (int pair = 0; pair < routed_; ++pair) {
      const std::int32_t place = starts_[params_.ids[pair]]++;
      pair_of_[place] = pair;
      place_of_[pair] = place;
    }
    // Placing moved each start to its expert's end, which is the next one's start.
    std::copy_backward(starts_, starts_ + params_.experts, starts_ + params_.experts + 1);
    starts_[0] = 0;
  }

  void GatherInput() {
    stream_.ParallelFor(routed_, [&](int first, int last) {
      for (std::int64_t place = first; place < last; ++place) {
        const std::int64_t token = pair_of_[place] / params_.top_k;
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
    for (int place = starts_[expert]; place < starts_[expert + 1]; place += kGemmRowsMax) {
      const int rows = std::min(kGemmRowsMax, starts_[expert + 1] - place);
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
      }
    }
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
    for (int place = starts_[expert]; place < starts_[expert + 1]; place += kGemmRowsMax) {
      panel.to = down_ + place * input_stride_ + column;
      Multiply(panel, place, std::min(kGemmRowsMax, starts_[expert + 1] - place), scratch);
    }
  }

  void Combine(int worker, std::int64_t token) {
    float* sum = ScratchFloats(stream_, worker, static_cast<std::size_t>(params_.hidden));
    std::fill(sum, sum + params_.hidden, 0.0F);
    for (std::int64_t pair = token * params_.top_k; pair < (token + 1) * params_.top_k; ++pair) {
      level_.add_scaled(params_.weights[pair], down_ + place_of_[pair] * input_stride_, sum,
                        params_.hidden);
    }
    const std::int64_t row = token * params_.hidden;
    if (params_.shared != nullptr) {
      level_.add_scaled(1.0F, params_.shared + row, sum, params_.hidden);
    }
    level_.narrow(sum, ElementAt(params_.out, params_.activation, row), params_.activation,
                  params_.hidden);
  }

  const CpuLevel& level_;
  const ExpertFfnParams& params_;
  Stream& stream_;
  const int routed_;                 // (token, choice) pairs
  const std::int64_t input_stride_;  // floats
  const std::int64_t inner_stride_;  // floats
  int touched_count_ = 0;
  std::int32_t* starts_;    // [experts + 1] first place of each expert
  std::int32_t* touched_;   // [touched_count_] experts that have rows
  std::int32_t* pair_of_;   // [routed] place -> pair
  std::int32_t* place_of_;  // [routed] pair -> place
  float* input_;            // [routed][input_stride]
  float* inner_;            // [routed][inner_stride]
  float* down_;             // [routed][input_stride]
};

}  // namespace

absl::Status CpuExpertFfn(const CpuLevel& level, const ExpertFfnParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  if (params.tokens > 0) ExpertPass(level, params, stream).Run();
  return absl::OkStatus();
}

}  // namespace baton
