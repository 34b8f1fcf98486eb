// What a prefill worker is told at start, and the counts that it keeps for the role's metrics.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "scheduling/step_time.h"

namespace baton {

struct PrefillOptions {
  int step_tokens_max = 8192;  // at least a page
  int sequences_max = 16;      // prompts begun and not computed
  int jobs_max = 512;          // accepted and not over
  bool prefix_caching = true;
  std::uint32_t cached_pages_max = UINT32_MAX;  // free pages that stay findable
  Duration load_report = Milliseconds(100);     // a changed load is told after that, not sooner
  StepCost step_prior{.fixed = 1e-3, .per_token = 1e-4};  // until steps have been seen
};

/// Counters only grow; the gauges are as of now.
struct PrefillStats {
  // counters
  std::uint64_t prompt_tokens = 0;    // of jobs that began
  std::uint64_t cached_tokens = 0;    // of those, found in the prefix cache
  std::uint64_t computed_tokens = 0;  // went through the model
  std::uint64_t generated_tokens = 0;
  std::uint64_t steps = 0;
  std::uint64_t handoffs_committed = 0;
  std::uint64_t handoffs_failed = 0;
  std::uint64_t jobs_refused = 0;
  std::uint64_t jobs_cancelled = 0;
  std::uint64_t prompt_errors = 0;  // jobs whose message was not lawful
  // gauges
  std::uint64_t queue_requests = 0;
  std::uint64_t queue_tokens = 0;  // accepted and not computed
  std::uint64_t running = 0;       // prompts begun and not computed
  std::uint64_t handing_over = 0;  // computed, pages still read by the hand-off
};

}  // namespace baton
