#include <cmath>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/silu_mul/silu_mul.h"

namespace baton {

absl::Status ReferenceSiluMul(const SiluMulParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  stream.ParallelFor(params.tokens, [&params](int first, int last) {
    for (std::int64_t t = first; t < last; ++t) {
      for (int i = 0; i < params.inter; ++i) {
        const std::int64_t gate_at = t * 2 * params.inter + i;
        const double gate = LoadElement(params.gate_up, params.activation, gate_at);
        const double up = LoadElement(params.gate_up, params.activation, gate_at + params.inter);
        const double value = gate / (1.0 + std::exp(-gate)) * up;
        StoreElement(params.out, params.activation, t * params.inter + i,
                     static_cast<float>(value));
      }
    }
  });
  return absl::OkStatus();
}

}  // namespace baton
