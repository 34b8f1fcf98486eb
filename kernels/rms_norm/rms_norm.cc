#include "kernels/rms_norm/rms_norm.h"

#include "base/status.h"
#include "kernels/common/param_check.h"

namespace baton {

Cost CostOf(const RmsNormParams& params) {
  const double elements = static_cast<double>(params.rows) * params.dim;
  // With x: read x and residual, write residual and out. Without: read residual, write out.
  const double passes = params.x != nullptr ? 4 : 2;
  return {.bytes = elements * passes * static_cast<double>(BytesOf(params.activation)),
          .flops = elements * 4};
}

absl::Status Check(const RmsNormParams& params) {
  constexpr absl::string_view kName = "rms_norm";
  BATON_RETURN_IF_ERROR(Require(params.rows >= 0, kName, "rows >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.dim > 0, kName, "dim > 0"));
  BATON_RETURN_IF_ERROR(
      Require(params.ResidualStride() >= params.dim, kName, "residual_stride >= dim"));
  BATON_RETURN_IF_ERROR(Require(params.OutStride() >= params.dim, kName, "out_stride >= dim"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.activation), kName, "activation in {bf16, fp16, fp32}"));
  return Require(IsStorage(params.weight_dtype), kName, "weight_dtype in {bf16, fp16, fp32}");
}

}  // namespace baton
