// What a decode worker is told at start, and the counts that it keeps for the role's metrics.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "scheduling/step_time.h"

namespace baton {

struct DecodeOptions {
  int step_tokens_max = 2048;  // at least sequences_max, and at least a page
  int sequences_max = 256;     // running
  int jobs_max = 512;          // accepted and not over
  bool prefix_caching = true;
  std::uint32_t cached_pages_max = UINT32_MAX;  // free pages that stay findable
  double promised_fraction_max = 0.25;          // of the pool: promised to hand-offs and not landed
  double growth_watermark = 0.02;               // of the pool: kept out of promises
  int growth_tokens = 1024;                     // promised to a sequence beyond its tokens, at most
  Duration offer_wait = Milliseconds(2000);     // an Offer without room is refused after that
  Duration load_report = Milliseconds(100);     // a changed load is told after that, not sooner
  StepCost step_prior{.fixed = 1e-3, .per_token = 1e-4};  // until steps have been seen
};

/// Counters only grow; the gauges are as of now.
struct DecodeStats {
  // counters
  std::uint64_t prompt_tokens = 0;         // of prompts run here
  std::uint64_t prompt_cached_tokens = 0;  // of those, found in the prefix cache
  std::uint64_t computed_tokens = 0;       // prompt tokens that went through the model here
  std::uint64_t generated_tokens = 0;
  std::uint64_t steps = 0;
  std::uint64_t handoffs_committed = 0;
  std::uint64_t handoffs_failed = 0;
  std::uint64_t handoff_tokens = 0;       // prompt tokens that came by hand-off
  std::uint64_t handoff_pages_saved = 0;  // pages that were held already
  std::uint64_t jobs_refused = 0;
  std::uint64_t jobs_cancelled = 0;
  std::uint64_t prompt_errors = 0;  // jobs whose message was not lawful
  std::uint64_t given_back = 0;     // sequences returned to the router for want of pages
  // gauges
  std::uint64_t running = 0;         // sequences in the batch
  std::uint64_t waiting = 0;         // local prompts and offers without room
  std::uint64_t queue_tokens = 0;    // of prompts to run here, not computed
  std::uint64_t promised_pages = 0;  // that admitted work may still take
};

}  // namespace baton
