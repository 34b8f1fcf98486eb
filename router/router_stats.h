// Counters and gauges of a RouterCore as plain numbers, for the role's metrics. Counters only grow.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace baton {

struct RouterStats {
  // counters
  std::uint64_t routed_disaggregated = 0;
  std::uint64_t routed_local = 0;     // decode runs the prompt, by cost
  std::uint64_t routed_fallback = 0;  // decode runs the prompt, for want of a prefill worker
  std::uint64_t predicted_tokens = 0;
  std::uint64_t realised_tokens = 0;
  std::uint64_t event_gaps = 0;
  std::uint64_t index_pages_refused = 0;          // index_bytes_max was reached
  std::map<std::string, std::uint64_t> outcomes;  // requests ended: "finished", or the error code
  std::map<std::string, std::uint64_t> rejects;   // refused before the first dispatch, by code
  std::map<std::string, std::uint64_t> retries;  // new attempts: "worker_lost", "refused", "failed"
  // gauges
  std::uint64_t index_pages = 0;     // that workers have stated
  std::uint64_t index_expected = 0;  // that they are believed to hold soon
  std::uint64_t index_bytes = 0;
  int live_requests = 0;
  int queued_requests = 0;
  std::map<std::string, int> workers;  // "prefill ready", "decode draining", ...
};

}  // namespace baton
