#include "kernels/mla_append/mla_append.h"

#include "base/status.h"
#include "kernels/common/param_check.h"

namespace baton {

Cost CostOf(const MlaAppendParams& params) {
  const double row = params.latent_dim + params.rope_dim;
  const auto activation = static_cast<double>(BytesOf(params.activation));
  const double query = 2.0 * params.num_heads * params.rope_dim;  // read, then written
  const double bytes =
      activation * (row + query) + static_cast<double>(BytesOf(params.cache_dtype)) * row;
  // A norm costs 4 an element; a rotated pair 4 products and 2 sums.
  const double flops = 4.0 * params.latent_dim + 3.0 * params.rope_dim * (params.num_heads + 1);
  return {.bytes = bytes * params.tokens, .flops = flops * params.tokens};
}

absl::Status Check(const MlaAppendParams& params) {
  constexpr absl::string_view kName = "mla_append";
  BATON_RETURN_IF_ERROR(Require(params.tokens >= 0, kName, "tokens >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.num_heads > 0, kName, "num_heads > 0"));
  BATON_RETURN_IF_ERROR(Require(params.nope_dim >= 0, kName, "nope_dim >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.latent_dim > 0, kName, "latent_dim > 0"));
  BATON_RETURN_IF_ERROR(
      Require(params.rope_dim >= 0 && params.rope_dim % 2 == 0, kName, "rope_dim even and >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.tokens_per_page > 0, kName, "tokens_per_page > 0"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.activation), kName, "activation in {bf16, fp16, fp32}"));
  return Require(IsStorage(params.weight_dtype), kName, "weight_dtype in {bf16, fp16, fp32}");
}

}  // namespace baton
