#include "router/route_policy.h"

#include <algorithm>
#include <vector>

namespace baton {
namespace {

// Source: SGLang, sgl-router's cache_aware policy: balance_abs_threshold, balance_rel_threshold.
constexpr double kUnevenRequests = 32;
constexpr double kUnevenRatio = 1.1;

// The option that is first by `less`, ties to the older link.
template <typename Option, typename Less>
const Option& First(const std::vector<Option>& options, const Less& less) {
  return *std::min_element(options.begin(), options.end(), [&less](const auto& a, const auto& b) {
    if (less(a, b)) return true;
    return !less(b, a) && a.link < b.link;
  });
}

// The n-th in order of links, whatever order they stand in.
template <typename Option>
const Option& Nth(const std::vector<Option>& options, std::uint64_t n) {
  std::vector<const Option*> sorted;
  sorted.reserve(options.size());
  for (const Option& option : options) sorted.push_back(&option);
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(n % sorted.size());
  std::nth_element(sorted.begin(), nth, sorted.end(),
                   [](const Option* a, const Option* b) { return a->link < b->link; });
  return **nth;
}

bool ShorterQueue(const PrefillOption& a, const PrefillOption& b) {
  return a.queue_seconds < b.queue_seconds;
}

bool FewerSequences(const DecodeOption& a, const DecodeOption& b) {
  return a.running_sequences < b.running_sequences;
}

bool LongerMatch(const PrefillOption& a, const PrefillOption& b) {
  if (a.held_tokens != b.held_tokens) return a.held_tokens > b.held_tokens;
  return ShorterQueue(a, b);
}

const PrefillOption& CacheAware(const std::vector<PrefillOption>& prefill) {
  const auto fewer = [](const PrefillOption& a, const PrefillOption& b) {
    return a.requests < b.requests;
  };
  const auto [least, most] = std::minmax_element(prefill.begin(), prefill.end(), fewer);
  const bool uneven = most->requests - least->requests > kUnevenRequests &&
                      most->requests > kUnevenRatio * least->requests;
  return uneven ? First(prefill, fewer) : First(prefill, LongerMatch);
}

const PrefillOption& PrefillBy(RoutePolicy policy, const RouteQuery& query,
                               const std::vector<PrefillOption>& prefill, std::uint64_t turn) {
  const std::uint64_t low = query.draw & 0xffff;
  switch (policy) {
    case RoutePolicy::kRoundRobin:
      return Nth(prefill, turn);
    case RoutePolicy::kRandom:
      return Nth(prefill, low);
    case RoutePolicy::kPowerOfTwo: {
      const PrefillOption& one = Nth(prefill, low);
      const PrefillOption& other = Nth(prefill, (query.draw >> 16) & 0xffff);
      return ShorterQueue(other, one) ? other : one;
    }
    case RoutePolicy::kCacheAware:
      return CacheAware(prefill);
    case RoutePolicy::kLongestMatch:
    case RoutePolicy::kPredictedTtft:
      break;
  }
  return First(prefill, LongerMatch);
}

const DecodeOption& DecodeBy(RoutePolicy policy, const RouteQuery& query,
                             const std::vector<DecodeOption>& decode, std::uint64_t turn) {
  if (policy == RoutePolicy::kRoundRobin) return Nth(decode, turn);
  const DecodeOption& one = Nth(decode, (query.draw >> 32) & 0xffff);
  if (policy == RoutePolicy::kRandom) return one;
  if (policy != RoutePolicy::kPowerOfTwo) return First(decode, FewerSequences);
  const DecodeOption& other = Nth(decode, query.draw >> 48);
  return FewerSequences(other, one) ? other : one;
}

}  // namespace

std::optional<RouteChoice> PolicyChooser::Choose(RoutePolicy policy, const RouteQuery& query,
                                                 const Candidates& candidates, std::uint64_t turn) {
  if (policy == RoutePolicy::kPredictedTtft) {
    return by_cost_.Choose(query, candidates.prefill, candidates.decode);
  }
  if (candidates.decode.empty()) return std::nullopt;
  const DecodeOption& decode = DecodeBy(policy, query, candidates.decode, turn);
  if (candidates.alone) return CostOf(query, nullptr, decode);
  if (candidates.prefill.empty()) return std::nullopt;
  return CostOf(query, &PrefillBy(policy, query, candidates.prefill, turn), decode);
}

}  // namespace baton
