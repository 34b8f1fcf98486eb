#include "kernels/silu_mul/silu_mul.h"

#include "base/status.h"
#include "kernels/common/param_check.h"

namespace baton {

Cost CostOf(const SiluMulParams& params) {
  const double elements = static_cast<double>(params.tokens) * params.inter;
  // Two values in, one out; negate, exp, add, divide, multiply.
  return {.bytes = elements * 3 * static_cast<double>(BytesOf(params.activation)),
          .flops = elements * 5};
}

absl::Status Check(const SiluMulParams& params) {
  constexpr absl::string_view kName = "silu_mul";
  BATON_RETURN_IF_ERROR(Require(params.tokens >= 0, kName, "tokens >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.inter > 0, kName, "inter > 0"));
  return Require(IsStorage(params.activation), kName, "activation in {bf16, fp16, fp32}");
}

}  // namespace baton
