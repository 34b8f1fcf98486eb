#include "router/route.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace baton {
namespace {

constexpr double kCrowdedFrom = 0.8;     // share of a pool from which on growth may not fit
constexpr double kCrowdSeconds = 1;      // cost of a pool that is full
constexpr double kTieSecondsMin = 1e-6;  // below it, differences are rounding
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Seconds that the answer takes at `decode`, with this sequence in its batch.
double SlowSeconds(const RouteQuery& query, const DecodeOption& decode) {
  StepShape step;
  step.tokens = decode.running_sequences + 1;
  step.sequences = step.tokens;
  step.pairs = decode.running_tokens + query.prompt_tokens;
  return query.output_tokens * decode.cost.Seconds(step) + CrowdSeconds(decode.pool_used);
}

// The last token is always computed: its logits are the answer's first.
int CachedTokens(const RouteQuery& query, int held_tokens) {
  return std::clamp(held_tokens, 0, query.prompt_tokens - 1);
}

double ChunksOf(double tokens, double chunk_tokens) {
  return std::max(1.0, std::ceil(tokens / chunk_tokens));
}

// Whoever computes the prompt: a prefill worker, or decode itself.
template <typename Option>
RouteSide SideOfOption(const RouteQuery& query, const Option& option) {
  RouteSide side;
  side.cached = CachedTokens(query, option.held_tokens);
  const double tokens = query.prompt_tokens - side.cached;
  side.chunks = ChunksOf(tokens, query.step_tokens_max);
  side.compute = PrefillSeconds(option.cost, side.cached, tokens, query.step_tokens_max);
  side.queue = option.queue_seconds;
  return side;
}

double PagesLacking(const RouteQuery& query, const DecodeOption& decode) {
  const int lacking = query.prompt_tokens - std::min(decode.held_tokens, query.prompt_tokens);
  return std::ceil(static_cast<double>(lacking) / query.page_tokens);
}

// Of decode: what prefill holds is in its seconds already.
double FilledOf(const RouteQuery& query, double stored_tokens, int held_tokens) {
  return stored_tokens - kAffinity * CachedTokens(query, held_tokens);
}

}  // namespace

RouteSide SideOf(const RouteQuery& query, const PrefillOption& prefill) {
  return SideOfOption(query, prefill);
}

RouteSide SideOf(const RouteQuery& query, const DecodeOption& decode) {
  return SideOfOption(query, decode);
}

double CrowdSeconds(double pool_used) {
  return kCrowdSeconds * std::max(0.0, pool_used - kCrowdedFrom) / (1 - kCrowdedFrom);
}

double PrefillSeconds(const StepCost& cost, double context, double tokens, double chunk_tokens) {
  StepShape shape;
  shape.AddRun(context, tokens);
  const double chunks = ChunksOf(tokens, chunk_tokens);
  shape.sequences = chunks;
  return cost.Seconds(shape) + (chunks - 1) * cost.fixed;
}

RouteChoice CostOf(const RouteQuery& query, const PrefillOption* prefill,
                   const DecodeOption& decode) {
  const RouteSide side = prefill != nullptr ? SideOf(query, *prefill) : SideOf(query, decode);
  double slow = SlowSeconds(query, decode);
  RouteChoice choice;
  choice.decode = decode.link;
  choice.cached_tokens = side.cached;
  choice.computed_tokens = query.prompt_tokens - side.cached;
  choice.queue_seconds = side.queue;
  choice.compute_seconds = side.compute;
  if (prefill != nullptr) {
    choice.prefill = prefill->link;
    choice.sent_tokens = query.prompt_tokens - std::min(decode.held_tokens, query.prompt_tokens);
    choice.exposed_seconds = query.wire.Exposed(PagesLacking(query, decode), side.chunks,
                                                side.compute, prefill->domain == decode.domain);
  } else {
    slow += decode.running_sequences * side.compute;
  }
  choice.slow_seconds = slow;
  choice.cost_seconds = choice.late_seconds() + query.decode_weight * slow;
  return choice;
}

void RouteChooser::Score(const RouteQuery& query, std::span<const PrefillOption> prefill,
                         std::span<const DecodeOption> decode) {
  sides_.clear();
  pairs_.clear();
  floor_seconds_ = kInfinity;
  for (const PrefillOption& p : prefill) sides_.push_back(SideOf(query, p));
  for (std::size_t j = 0; j < decode.size(); ++j) {
    const DecodeOption& d = decode[j];
    const double slow = SlowSeconds(query, d);
    const double pages = PagesLacking(query, d);
    const double filled = FilledOf(query, d.stored_tokens, d.held_tokens);
    floor_seconds_ = std::min(floor_seconds_, query.decode_weight * slow);
    if (d.may_run_prompt) {
      const RouteSide alone = SideOf(query, d);
      // Each of its running sequences waits for this prompt's steps.
      const double wait = slow + d.running_sequences * alone.compute;
      pairs_.push_back({nullptr, &d, alone.late() + query.decode_weight * wait, filled});
    }
    for (std::size_t i = 0; i < prefill.size(); ++i) {
      const PrefillOption& p = prefill[i];
      const bool near = p.domain == d.domain;
      if (!near && (i >= kBest || j >= kBest)) continue;
      const RouteSide& side = sides_[i];
      const double late = side.late() + query.wire.Exposed(pages, side.chunks, side.compute, near);
      pairs_.push_back({&p, &d, late + query.decode_weight * slow, filled + p.stored_tokens});
    }
  }
}

std::optional<RouteChoice> RouteChooser::Choose(const RouteQuery& query,
                                                std::span<const PrefillOption> prefill,
                                                std::span<const DecodeOption> decode) {
  Score(query, prefill, decode);
  if (pairs_.empty()) return std::nullopt;
  double best = kInfinity;
  for (const Pair& pair : pairs_) best = std::min(best, pair.cost);
  // What no choice can change is no part of the band: an answer of seconds would drown a prefix.
  const double band = std::max(kTieSecondsMin, kTieShare * (best - floor_seconds_));
  double fewest = kInfinity;
  std::size_t equals = 0;
  for (const Pair& pair : pairs_) {
    if (pair.cost > best + band || pair.filled > fewest) continue;
    if (pair.filled < fewest) equals = 0;
    fewest = pair.filled;
    ++equals;
  }
  std::size_t turn = query.draw % equals;
  for (const Pair& pair : pairs_) {
    if (pair.cost > best + band || pair.filled > fewest) continue;
    if (turn-- == 0) return CostOf(query, pair.prefill, *pair.decode);
  }
  return std::nullopt;  // not reached: `equals` of them were counted
}

}  // namespace baton
