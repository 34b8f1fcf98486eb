// The choice of (prefill, decode) for one request, both at once, by forecast cost in seconds:
//
//   late = queue + prefill of what is not cached + wire time that computation does not hide
//   slow = expected output * seconds of a decode step + crowding of the pool
//   cost = late + decode_weight * slow
//
// A decode worker alone is a pair like any other: no wire, but its running sequences wait while it
// computes. Not the longest match: whoever first holds a shared prefix would get every request.
// See docs/routing.md.
//
// Pure: options in, a choice out; `draw` decides among equals.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/ids.h"
#include "router/wire_cost.h"
#include "scheduling/step_time.h"

namespace baton {

/// A prefill worker that may be chosen.
struct PrefillOption {
  LinkId link{};
  StepCost cost;
  double queue_seconds = 0;
  int held_tokens = 0;       // of the prompt, from the front
  double stored_tokens = 0;  // newly stored there of late
};

/// A decode worker that may be chosen.
struct DecodeOption {
  LinkId link{};
  StepCost cost;
  double queue_seconds = 0;  // of prompts that it runs itself
  int held_tokens = 0;
  double stored_tokens = 0;
  double running_sequences = 0;
  double running_tokens = 0;  // their context
  double pool_used = 0;       // share of its pages, promised ones included
  bool may_run_prompt = false;
};

struct RouteQuery {
  int prompt_tokens = 0;  // >= 1
  int output_tokens = 0;  // expected
  int page_tokens = 64;
  int step_tokens_max = 8192;
  double decode_weight = 1;
  WireCost wire;
  std::uint64_t draw = 0;  // random
};

struct RouteChoice {
  std::optional<LinkId> prefill;  // none: `decode` runs the prompt
  LinkId decode{};
  double cost_seconds = 0;
  double late_seconds = 0;  // forecast: until tokens flow steadily
  int cached_tokens = 0;    // forecast, of whoever computes the prompt
  int computed_tokens = 0;  // forecast
};

/// Seconds to compute `tokens` >= 0 after `context` cached ones, in chunks.
double PrefillSeconds(const StepCost& cost, double context, double tokens, double chunk_tokens);

/// The cost of one pair; `prefill` null: `decode` alone.
RouteChoice CostOf(const RouteQuery& query, const PrefillOption* prefill,
                   const DecodeOption& decode);

/// The cheapest pair among the kBest best of each role and the decode workers that may run the
/// prompt; ties (within kTieShare of what the choice can change) go to the fewest newly stored
/// tokens, then to the draw. Nothing when there is no pair.
std::optional<RouteChoice> ChooseRoute(const RouteQuery& query,
                                       std::span<const PrefillOption> prefill,
                                       std::span<const DecodeOption> decode);

inline constexpr std::size_t kBest = 8;
inline constexpr double kTieShare = 0.05;

}  // namespace baton
