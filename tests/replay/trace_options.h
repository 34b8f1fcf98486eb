// What a replay of recorded traffic is told: the fleet, its speeds, the delays between its parts,
// and what becomes of each request.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "router/router_options.h"
#include "scheduling/step_time.h"

namespace baton {

struct TraceOptions {
  int routers = 1;
  int prefill = 8;
  int decode = 0;  // 0: prefill alone; a request ends with its first token
  std::uint32_t prefill_pages = 10'000;
  std::uint32_t decode_pages = 10'000;
  int page_tokens = 512;
  int step_tokens_max = 2048;  // of a prefill step
  StepCost prefill_cost{.fixed = 0, .per_token = 1 / 12'000.0, .per_pair = 0, .per_sequence = 0};
  StepCost decode_cost{.fixed = 8e-3, .per_token = 1e-5, .per_pair = 2e-9, .per_sequence = 4e-5};
  std::vector<double> speeds;  // of each prefill worker; empty: all 1
  bool speeds_stated = true;   // false: all routers take all workers for the mean
  double noise = 0;            // of a step's seconds, as a share: uniform
  double link_bytes_per_second = 12e9;
  double page_bytes = 36e6;  // 512 tokens of a 61-layer MLA model in bf16
  Duration message_delay = Milliseconds(1);
  Duration load_every = Milliseconds(100);
  int output_expected = 343;
  RouterOptions router;
  std::uint64_t seed = 1;
};

/// What became of one request.
struct TraceOutcome {
  enum class End { kOpen, kServed, kRefused, kLost };
  End end = End::kOpen;
  double arrived = 0;  // seconds of the trace
  double ttft = 0;
  double forecast = -1;    // TTFT when it was dispatched, the wait before included
  double own_prefill = 0;  // of the whole prompt, alone
  double finished = 0;     // seconds of the trace; prefill alone: the first token
  double itl_max = 0;
  double itl_mean = 0;
  int input_tokens = 0;
  int output_tokens = 0;
  int cached_tokens = 0;
  int router = -1;
  int prefill = -1;
  int decode = -1;
  Instant submitted{};

  double waited(Instant now) const { return ToSeconds(now - submitted); }
};

}  // namespace baton
