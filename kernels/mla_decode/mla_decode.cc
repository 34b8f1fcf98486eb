#include "kernels/mla_decode/mla_decode.h"

#include "base/status.h"
#include "kernels/common/paged_rows.h"
#include "kernels/common/param_check.h"

namespace baton {
Cost CostOf(const MlaDecodeParams& params) {
  const double row_dim = params.latent_dim + params.rope_dim;
  const double row_bytes = row_dim * static_cast<double>(BytesOf(params.cache_dtype));
  const double io = row_dim + params.latent_dim;  // a query in, an output out
  const PagedRowCounts counts = CountPagedRows(params);
  return {.bytes = counts.tokens * row_bytes + counts.rows * params.num_heads * io *
                                                   static_cast<double>(BytesOf(params.activation)),
          .flops = 2 * io * params.num_heads * counts.pairs};
}

absl::Status Check(const MlaDecodeParams& params) {
  constexpr absl::string_view kName = "mla_decode";
  BATON_RETURN_IF_ERROR(Require(params.num_heads > 0, kName, "num_heads > 0"));
  BATON_RETURN_IF_ERROR(Require(params.latent_dim > 0, kName, "latent_dim > 0"));
  BATON_RETURN_IF_ERROR(Require(params.rope_dim >= 0, kName, "rope_dim >= 0"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.activation), kName, "activation in {bf16, fp16, fp32}"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.cache_dtype), kName, "cache_dtype in {bf16, fp16, fp32}"));
  return CheckPagedRows(params, kName);
}

}  // namespace baton
