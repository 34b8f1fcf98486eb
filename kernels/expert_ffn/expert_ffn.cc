#include "kernels/expert_ffn/expert_ffn.h"

#include <algorithm>
#include <vector>

#include "base/status.h"
#include "kernels/common/param_check.h"

namespace baton {

Cost CostOf(const ExpertFfnParams& params) {
  const std::int64_t routed = std::int64_t{params.tokens} * params.top_k;
  std::vector<bool> touched(static_cast<std::size_t>(params.experts), false);
  for (std::int64_t i = 0; i < routed; ++i) touched[static_cast<std::size_t>(params.ids[i])] = true;
  const auto experts = static_cast<double>(std::count(touched.begin(), touched.end(), true));
  const double matrix = static_cast<double>(params.hidden) * params.inter;
  const double rows = static_cast<double>(params.tokens) * params.hidden;
  const double row_bytes = 2 * static_cast<double>(BytesOf(params.activation)) +
                           (params.shared != nullptr ? sizeof(float) : 0);
  return {.bytes = 3 * matrix * static_cast<double>(BytesOf(params.weight_dtype)) * experts +
                   rows * row_bytes,
          .flops = 6 * matrix * static_cast<double>(routed)};
}

absl::Status Check(const ExpertFfnParams& params) {
  constexpr absl::string_view kName = "expert_ffn";
  BATON_RETURN_IF_ERROR(Require(params.tokens >= 0, kName, "tokens >= 0"));
  BATON_RETURN_IF_ERROR(
      Require(params.hidden > 0 && params.inter > 0, kName, "hidden > 0 and inter > 0"));
  BATON_RETURN_IF_ERROR(
      Require(params.top_k > 0 && params.top_k <= params.experts, kName, "top_k in [1, experts]"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.activation), kName, "activation in {bf16, fp16, fp32}"));
  BATON_RETURN_IF_ERROR(
      Require(IsStorage(params.weight_dtype), kName, "weight_dtype in {bf16, fp16, fp32}"));
  const std::int64_t routed = std::int64_t{params.tokens} * params.top_k;
  for (std::int64_t i = 0; i < routed; ++i) {
    BATON_RETURN_IF_ERROR(Require(params.ids[i] >= 0 && params.ids[i] < params.experts, kName,
                                  "ids in [0, experts)"));
    BATON_RETURN_IF_ERROR(Require(i % params.top_k == 0 || params.ids[i] > params.ids[i - 1], kName,
                                  "ids of a token ascending"));
  }
  return absl::OkStatus();
}

}  // namespace baton
