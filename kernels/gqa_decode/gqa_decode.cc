#include "kernels/gqa_decode/gqa_decode.h"

#include "base/status.h"
#include "kernels/common/fp8_page.h"
#include "kernels/common/paged_rows.h"
#include "kernels/common/param_check.h"

namespace baton {

std::size_t GqaDecodeParams::PlaneBytes() const {
  if (cache_dtype == DType::kFp8E4m3) return Fp8HeadPlane{tokens_per_page, head_dim}.Bytes();
  return static_cast<std::size_t>(tokens_per_page) * static_cast<std::size_t>(head_dim) *
         BytesOf(cache_dtype);
}

Cost CostOf(const GqaDecodeParams& params) {
  const PagedRowCounts counts = CountPagedRows(params);
  const double dim = params.head_dim;
  const double token_bytes =
      2.0 * params.kv_heads * static_cast<double>(params.PlaneBytes()) / params.tokens_per_page;
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
  return CheckPagedRows(params, kName);
}

}  // namespace baton
