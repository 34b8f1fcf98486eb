#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/cpu/drivers.h"

namespace baton {

absl::Status CpuRmsNorm(const CpuLevel& level, const RmsNormParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  stream.ParallelFor(params.rows, [&](int first, int last) {
    for (std::int64_t row = first; row < last; ++row) {
      NormRowJob job{.dim = params.dim,
                     .epsilon = params.epsilon,
                     .activation = params.activation,
                     .weight_dtype = params.weight_dtype,
                     .out_dtype = params.activation,
                     .weight = params.weight};
      job.kept = ElementAt(params.residual, params.activation, row * params.ResidualStride());
      job.residual = job.kept;
      if (params.x != nullptr) job.x = ElementAt(params.x, params.activation, row * params.dim);
      job.out = ElementAt(params.out, params.activation, row * params.OutStride());
      level.norm_row(job);
    }
  });
  return absl::OkStatus();
}

}  // namespace baton
