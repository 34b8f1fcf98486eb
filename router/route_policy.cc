#include "router/route_policy.h"

namespace baton {
namespace {

std::optional<RouteChoice> ChoiceAt(const RouteQuery& query, const Candidates& candidates,
                                    std::uint64_t prefill_turn, std::uint64_t decode_turn) {
  if (candidates.decode.empty()) return std::nullopt;
  const DecodeOption& decode = candidates.decode[decode_turn % candidates.decode.size()];
  if (candidates.prefill.empty()) {
    if (!candidates.alone) return std::nullopt;
    return CostOf(query, nullptr, decode);
  }
  return CostOf(query, &candidates.prefill[prefill_turn % candidates.prefill.size()], decode);
}

}  // namespace

std::optional<RouteChoice> ChooseByPolicy(RoutePolicy policy, const RouteQuery& query,
                                          const Candidates& candidates, std::uint64_t turn) {
  switch (policy) {
    case RoutePolicy::kRoundRobin:
      return ChoiceAt(query, candidates, turn, turn);
    case RoutePolicy::kRandom:
      return ChoiceAt(query, candidates, query.draw & 0xffffffff, query.draw >> 32);
    case RoutePolicy::kPredictedTtft:
      break;
  }
  return ChooseRoute(query, candidates.prefill, candidates.decode);
}

}  // namespace baton
