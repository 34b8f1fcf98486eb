#include "kernels/route_experts/route_experts.h"

#include "base/status.h"
#include "kernels/common/param_check.h"

namespace baton {

Cost CostOf(const RouteExpertsParams& params) {
  const double scores = static_cast<double>(params.tokens) * params.experts;
  const double chosen = static_cast<double>(params.tokens) * params.top_k;
  // A logit in; an id and a weight out. Scores: subtract, exp, add, divide.
  return {.bytes = 4 * scores + 8 * chosen, .flops = 4 * scores};
}

absl::Status Check(const RouteExpertsParams& params) {
  constexpr absl::string_view kName = "route_experts";
  BATON_RETURN_IF_ERROR(Require(params.tokens >= 0, kName, "tokens >= 0"));
  BATON_RETURN_IF_ERROR(Require(params.groups > 0, kName, "groups > 0"));
  BATON_RETURN_IF_ERROR(Require(params.experts > 0 && params.experts % params.groups == 0, kName,
                                "experts a positive multiple of groups"));
  BATON_RETURN_IF_ERROR(Require(params.top_k_groups > 0 && params.top_k_groups <= params.groups,
                                kName, "top_k_groups in [1, groups]"));
  const int candidates = params.method == GateMethod::kGreedy
                             ? params.experts
                             : params.experts / params.groups * params.top_k_groups;
  BATON_RETURN_IF_ERROR(Require(params.top_k > 0 && params.top_k <= candidates, kName,
                                "top_k in [1, experts of the kept groups]"));
  const bool needs_bias = params.method == GateMethod::kNoAuxTc;
  return Require(needs_bias == (params.bias != nullptr), kName, "bias given for noaux_tc alone");
}

}  // namespace baton
