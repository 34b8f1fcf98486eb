#include "kernels/gqa_append/gqa_append.h"

#include "base/status.h"
#include "kernels/common/param_check.h"

namespace baton {

Cost CostOf(const GqaAppendParams& params) {
  const double dim = params.head_dim;
  const double rotated = params.num_heads + params.kv_heads;  // heads
  const auto activation = static_cast<double>(BytesOf(params.activation));
  const auto cache = static_cast<double>(BytesOf(params.cache_dtype));
  // Queries are read and written; keys and values are read, and written to the cache.
  const double bytes =
      dim * (2 * activation * params.num_heads + 2 * (activation + cache) * params.kv_heads);
  // A rotated pair costs 4 products and 2 sums; a norm 4 an element.
  const double norms = (params.q_weight != nullptr ? 4.0 * params.num_heads : 0.0) +
                       (params.k_weight != nullptr ? 4.0 * params.kv_heads : 0.0);
  return {.bytes = bytes * params.tokens, .flops = (3 * rotated + norms) * dim * params.tokens};
}

absl::Status Check(const GqaAppendParams& params) {
  constexpr absl::string_view kName = "gqa_append";
  BATON_RETURN_IF_ERROR(Require(params.tokens >= 0, kName, "tokens >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.num_heads > 0, kName, "num_heads > 0"));
  BATON_RETURN_IF_ERROR(Require(params.kv_heads > 0, kName, "kv_heads > 0"));
  BATON_RETURN_IF_ERROR(
      Require(params.head_dim > 0 && params.head_dim % 2 == 0 && params.head_dim <= kGqaHeadDimMax,
              kName, "head_dim even, > 0 and <= 1024"));
  BATON_RETURN_IF_ERROR(Require(params.tokens_per_page > 0, kName, "tokens_per_page > 0"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.activation), kName, "activation in {bf16, fp16, fp32}"));
  return Require(IsStorage(params.weight_dtype), kName, "weight_dtype in {bf16, fp16, fp32}");
}

}  // namespace baton
