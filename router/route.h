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
#include <vector>

#include "base/ids.h"
#include "router/wire_cost.h"
#include "scheduling/step_time.h"

namespace baton {

/// A prefill worker that may be chosen.
struct PrefillOption {
  LinkId link{};
  std::uint32_t domain = 0;  // of fast links
  StepCost cost;
  double queue_seconds = 0;
  int held_tokens = 0;       // of the prompt, from the front
  double stored_tokens = 0;  // newly stored there of late
  double requests = 0;       // that wait or run there
};

/// A decode worker that may be chosen.
struct DecodeOption {
  LinkId link{};
  std::uint32_t domain = 0;
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

/// A pair with the terms of its cost, all forecasts.
struct RouteChoice {
  std::optional<LinkId> prefill;  // none: `decode` runs the prompt
  LinkId decode{};
  double cost_seconds = 0;
  double queue_seconds = 0;
  double compute_seconds = 0;
  double exposed_seconds = 0;  // of the wire
  double slow_seconds = 0;     // of the answer, crowding included
  int cached_tokens = 0;       // of whoever computes the prompt
  int computed_tokens = 0;
  int sent_tokens = 0;  // that decode lacks and gets

  /// Until tokens flow steadily.
  double late_seconds() const { return queue_seconds + compute_seconds + exposed_seconds; }
};

/// Seconds to compute `tokens` >= 0 after `context` cached ones, in chunks.
double PrefillSeconds(const StepCost& cost, double context, double tokens, double chunk_tokens);

/// What a pool costs whose pages are used, or promised, to the share `pool_used`: an answer that
/// grows there may be preempted.
double CrowdSeconds(double pool_used);

/// What one side of a pair is known by, whoever the other is.
struct RouteSide {
  double queue = 0;
  double compute = 0;
  double chunks = 1;
  int cached = 0;

  double late() const { return queue + compute; }
};

RouteSide SideOf(const RouteQuery& query, const PrefillOption& prefill);
RouteSide SideOf(const RouteQuery& query, const DecodeOption& decode);

/// The cost of one pair; `prefill` null: `decode` alone.
RouteChoice CostOf(const RouteQuery& query, const PrefillOption* prefill,
                   const DecodeOption& decode);

inline constexpr std::size_t kBest = 8;
inline constexpr double kTieShare = 0.05;
/// A decode worker that holds a prompt wins ties until it has newly stored twice as much as another
/// that does not: a conversation stays where it is, and a shared prompt moves on.
inline constexpr double kAffinity = 2;

/// Tries pairs. Allocates for the largest fleet so far, then no more.
class RouteChooser {
 public:
  /// The cheapest pair. `prefill` and `decode` stand best first: the kBest first of each are tried
  /// with each other, the others within their domain, and each decode worker that may run the
  /// prompt alone. Ties (within kTieShare of what the choice can change) go to the fewest newly
  /// stored tokens, less kAffinity times those that decode holds, then to the draw. Nothing when
  /// there is no pair.
  std::optional<RouteChoice> Choose(const RouteQuery& query, std::span<const PrefillOption> prefill,
                                    std::span<const DecodeOption> decode);

 private:
  struct Pair {
    const PrefillOption* prefill = nullptr;
    const DecodeOption* decode = nullptr;
    double cost = 0;
    double filled = 0;
  };

  void Score(const RouteQuery& query, std::span<const PrefillOption> prefill,
             std::span<const DecodeOption> decode);

  std::vector<RouteSide> sides_;
  std::vector<Pair> pairs_;
  double floor_seconds_ = 0;
};

}  // namespace baton
