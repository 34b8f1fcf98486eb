#include "router/route.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace baton {
namespace {

constexpr double kCrowdedFrom = 0.8;     // share of a pool from which on growth may not fit
constexpr double kCrowdSeconds = 1;      // cost of a pool that is full
constexpr double kTieSecondsMin = 1e-6;  // below it, differences are rounding
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Scored {
  RouteChoice choice;
  double stored_tokens = 0;
};

// Seconds that the answer takes at `decode`, with this sequence in its batch.
double SlowSeconds(const RouteQuery& query, const DecodeOption& decode) {
  StepShape step;
  step.tokens = decode.running_sequences + 1;
  step.sequences = step.tokens;
  step.pairs = decode.running_tokens + query.prompt_tokens;
  const double crowd =
      kCrowdSeconds * std::max(0.0, decode.pool_used - kCrowdedFrom) / (1 - kCrowdedFrom);
  return query.output_tokens * decode.cost.Seconds(step) + crowd;
}

// The last token is always computed: its logits are the answer's first.
int CachedTokens(const RouteQuery& query, int held_tokens) {
  return std::clamp(held_tokens, 0, query.prompt_tokens - 1);
}

double ChunksOf(double tokens, double chunk_tokens) {
  return std::max(1.0, std::ceil(tokens / chunk_tokens));
}

// The kBest options with the least score; equals in favour of the least filled.
template <typename Option, typename Score>
std::vector<const Option*> Best(std::span<const Option> options, const Score& score) {
  struct Entry {
    double score;
    const Option* option;
  };
  std::vector<Entry> entries;
  entries.reserve(options.size());
  for (const Option& option : options) entries.push_back({score(option), &option});
  const std::size_t count = std::min(kBest, entries.size());
  std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(count),
                    entries.end(), [](const Entry& a, const Entry& b) {
                      if (a.score != b.score) return a.score < b.score;
                      if (a.option->stored_tokens != b.option->stored_tokens) {
                        return a.option->stored_tokens < b.option->stored_tokens;
                      }
                      return a.option->link < b.option->link;
                    });
  std::vector<const Option*> best;
  for (std::size_t i = 0; i < count; ++i) best.push_back(entries[i].option);
  return best;
}

std::vector<Scored> ScorePairs(const RouteQuery& query, std::span<const PrefillOption> prefill,
                               std::span<const DecodeOption> decode) {
  std::vector<Scored> pairs;
  for (const DecodeOption& d : decode) {
    if (d.may_run_prompt) pairs.push_back({CostOf(query, nullptr, d), d.stored_tokens});
  }
  const auto best_prefill = Best(prefill, [&query](const PrefillOption& p) {
    const int cached = CachedTokens(query, p.held_tokens);
    return p.queue_seconds +
           PrefillSeconds(p.cost, cached, query.prompt_tokens - cached, query.step_tokens_max);
  });
  if (best_prefill.empty()) return pairs;
  const auto best_decode = Best(decode, [&](const DecodeOption& d) {
    return CostOf(query, best_prefill.front(), d).cost_seconds;
  });
  for (const PrefillOption* p : best_prefill) {
    for (const DecodeOption* d : best_decode) {
      pairs.push_back({CostOf(query, p, *d), p->stored_tokens + d->stored_tokens});
    }
  }
  return pairs;
}

}  // namespace

double PrefillSeconds(const StepCost& cost, double context, double tokens, double chunk_tokens) {
  StepShape shape;
  shape.AddRun(context, tokens);
  const double chunks = ChunksOf(tokens, chunk_tokens);
  shape.sequences = chunks;
  return cost.Seconds(shape) + (chunks - 1) * cost.fixed;
}

RouteChoice CostOf(const RouteQuery& query, const PrefillOption* prefill,
                   const DecodeOption& decode) {
  RouteChoice choice;
  choice.decode = decode.link;
  choice.cached_tokens =
      CachedTokens(query, prefill != nullptr ? prefill->held_tokens : decode.held_tokens);
  choice.computed_tokens = query.prompt_tokens - choice.cached_tokens;
  const StepCost& cost = prefill != nullptr ? prefill->cost : decode.cost;
  const double compute =
      PrefillSeconds(cost, choice.cached_tokens, choice.computed_tokens, query.step_tokens_max);
  double slow = SlowSeconds(query, decode);
  if (prefill != nullptr) {
    choice.prefill = prefill->link;
    const double pages =
        std::ceil(static_cast<double>(query.prompt_tokens -
                                      std::min(decode.held_tokens, query.prompt_tokens)) /
                  query.page_tokens);
    const double chunks = ChunksOf(choice.computed_tokens, query.step_tokens_max);
    choice.late_seconds =
        prefill->queue_seconds + compute + query.wire.Exposed(pages, chunks, compute);
  } else {
    choice.late_seconds = decode.queue_seconds + compute;
    slow += decode.running_sequences * compute;  // each of them waits for this prompt's steps
  }
  choice.cost_seconds = choice.late_seconds + query.decode_weight * slow;
  return choice;
}

std::optional<RouteChoice> ChooseRoute(const RouteQuery& query,
                                       std::span<const PrefillOption> prefill,
                                       std::span<const DecodeOption> decode) {
  const std::vector<Scored> pairs = ScorePairs(query, prefill, decode);
  if (pairs.empty()) return std::nullopt;
  double best = kInfinity;
  for (const Scored& pair : pairs) best = std::min(best, pair.choice.cost_seconds);
  // What no choice can change is no part of the band: an answer of seconds would drown a prefix.
  double floor = kInfinity;
  for (const DecodeOption& d : decode) floor = std::min(floor, SlowSeconds(query, d));
  const double band = std::max(kTieSecondsMin, kTieShare * (best - query.decode_weight * floor));
  double fewest = kInfinity;
  for (const Scored& pair : pairs) {
    if (pair.choice.cost_seconds <= best + band) fewest = std::min(fewest, pair.stored_tokens);
  }
  std::vector<const RouteChoice*> equals;
  for (const Scored& pair : pairs) {
    if (pair.choice.cost_seconds <= best + band && pair.stored_tokens <= fewest) {
      equals.push_back(&pair.choice);
    }
  }
  return *equals[query.draw % equals.size()];
}

}  // namespace baton
