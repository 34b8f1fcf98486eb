// Work is cut into (product, block of rows, panel of columns); panels of one block are neighbours,
// so that its rows stay in the cache.
#include <algorithm>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/cpu/drivers.h"

namespace baton {
namespace {

struct GemmPlan {
  const GemmParams& params;
  int row_blocks = 0;
  int panels = 0;
  std::int64_t a_stride = 0;  // floats
  float* a = nullptr;         // [batch * m][a_stride]
};

// All rows as fp32.
void WidenRows(const CpuLevel& level, const GemmPlan& plan, Stream& stream) {
  const GemmParams& params = plan.params;
  stream.ParallelFor(params.batch * params.m, [&](int first, int last) {
    for (std::int64_t row = first; row < last; ++row) {
      const std::int64_t at =
          row / params.m * params.a_batch_stride + row % params.m * params.ARowStride();
      level.widen(ElementAt(params.a, params.a_dtype, at), params.a_dtype,
                  plan.a + row * plan.a_stride, params.k);
    }
  });
}

GemmPanelJob JobOf(const CpuLevel& level, const GemmPlan& plan, int item) {
  const GemmParams& params = plan.params;
  const std::int64_t product = item / (plan.row_blocks * plan.panels);
  const int row = item / plan.panels % plan.row_blocks * kGemmRowsMax;
  const int column = item % plan.panels * level.panel_width;
  const std::int64_t b = product * params.b_batch_stride + column * params.BRowStride();
  const std::int64_t c = product * params.c_batch_stride + row * params.CRowStride() + column;
  return {.rows = std::min(kGemmRowsMax, params.m - row),
          .columns = std::min(level.panel_width, params.n - column),
          .k = params.k,
          .a = plan.a + (product * params.m + row) * plan.a_stride,
          .a_stride = plan.a_stride,
          .b = ElementAt(params.b, params.b_dtype, b),
          .b_dtype = params.b_dtype,
          .b_stride = params.BRowStride(),
          .bias = params.bias == nullptr ? nullptr : ElementAt(params.bias, params.b_dtype, column),
          .c = ElementAt(params.c, params.c_dtype, c),
          .c_dtype = params.c_dtype,
          .c_stride = params.CRowStride()};
}

}  // namespace

absl::Status CpuGemm(const CpuLevel& level, const GemmParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  if (params.m == 0) return absl::OkStatus();
  if (level.gemm_pairs != nullptr && params.a_dtype == DType::kBf16 &&
      params.b_dtype == DType::kBf16) {
    CpuGemmPairs(level, params, stream);
    return absl::OkStatus();
  }
  GemmPlan plan{.params = params,
                .row_blocks = (params.m + kGemmRowsMax - 1) / kGemmRowsMax,
                .panels = (params.n + level.panel_width - 1) / level.panel_width,
                .a_stride = WideRowStride(params.k)};
  const auto rows = static_cast<std::size_t>(params.batch) * static_cast<std::size_t>(params.m);
  plan.a =
      ScratchFloats(stream, stream.SharedSlot(0), rows * static_cast<std::size_t>(plan.a_stride));
  WidenRows(level, plan, stream);
  stream.ForEach(params.batch * plan.row_blocks * plan.panels, [&](int worker, int item) {
    GemmPanelJob job = JobOf(level, plan, item);
    job.scratch = ScratchFloats(stream, worker, level.gemm_scratch_floats);
    level.gemm_panel(job);
  });
  return absl::OkStatus();
}

}  // namespace baton
