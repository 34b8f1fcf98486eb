#include "kernels/gemm/gemm.h"

#include "base/status.h"
#include "kernels/common/param_check.h"

namespace baton {

Cost CostOf(const GemmParams& params) {
  const double m = params.m;
  const double n = params.n;
  const double k = params.k;
  const double bytes = static_cast<double>(BytesOf(params.a_dtype)) * m * k +
                       static_cast<double>(BytesOf(params.b_dtype)) * n * k +
                       static_cast<double>(BytesOf(params.c_dtype)) * m * n;
  return {.bytes = bytes * params.batch, .flops = 2 * m * n * k * params.batch};
}

absl::Status Check(const GemmParams& params) {
  constexpr absl::string_view kName = "gemm";
  BATON_RETURN_IF_ERROR(Require(params.m >= 0, kName, "m >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.batch >= 0, kName, "batch >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.n > 0 && params.k > 0, kName, "n > 0 and k > 0"));
  BATON_RETURN_IF_ERROR(Require(params.ARowStride() >= params.k, kName, "a_row_stride >= k"));
  BATON_RETURN_IF_ERROR(Require(params.BRowStride() >= params.k, kName, "b_row_stride >= k"));
  BATON_RETURN_IF_ERROR(Require(params.CRowStride() >= params.n, kName, "c_row_stride >= n"));
  BATON_RETURN_IF_ERROR(Require(IsStorage(params.a_dtype), kName, "a_dtype in {bf16, fp16, fp32}"));
  BATON_RETURN_IF_ERROR(Require(IsStorage(params.b_dtype), kName, "b_dtype in {bf16, fp16, fp32}"));
  return Require(IsStorage(params.c_dtype), kName, "c_dtype in {bf16, fp16, fp32}");
}

}  // namespace baton
