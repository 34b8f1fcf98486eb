#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/cpu/drivers.h"

namespace baton {

absl::Status CpuSiluMul(const CpuLevel& level, const SiluMulParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  stream.ParallelFor(params.tokens, [&](int first, int last) {
    for (std::int64_t t = first; t < last; ++t) {
      const std::int64_t gate = t * 2 * params.inter;
      level.silu_mul(ElementAt(params.gate_up, params.activation, gate),
                     ElementAt(params.gate_up, params.activation, gate + params.inter),
                     ElementAt(params.out, params.activation, t * params.inter), params.activation,
                     params.inter);
    }
  });
  return absl::OkStatus();
}

}  // namespace baton
