#include "kernels/gqa_decode/gqa_decode.h"

#include "base/status.h"
#include "kernels/common/paged_rows.h"
#include "kernels/common/param_check.h"

namespace baton {

Cost CostOf(const GqaDecodeParams& params) {
  const PagedRowCounts counts = CountPagedRows(params);
  const double dim = params.head_dim;
  const double token_bytes =
      2 * dim * params.kv_heads * static_cast<double>(BytesOf(params.cache_dtype));
  const double row_bytes =
      2 * dim * params.num_heads * static_cast<double>(BytesOf(params.activation));
  return {.bytes = counts.tokens * token_bytes + counts.rows * row_bytes,
          .flops = 4 * dim * params.num_heads * counts.pairs};
}

absl::Status Check(const GqaDecodeParams& params) {
  constexpr absl::string_view kName = "gqa_decode";
  BATON_RETURN_IF_ERROR(Require(params.kv_heads > 0, kName, "kv_heads > 0"));
  BATON_RETURN_IF_ERROR(Require(params.num_heads > 0 && params.num_heads % params.kv_heads == 0,
                                kName, "kv_heads divides num_heads"));
  BATON_RETURN_IF_ERROR(Require(params.head_dim > 0, kName, "head_dim > 0"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.activation), kName, "activation in {bf16, fp16, fp32}"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.cache_dtype), kName, "cache_dtype in {bf16, fp16, fp32}"));
  return CheckPagedRows(params, kName);
}

}  // namespace baton
