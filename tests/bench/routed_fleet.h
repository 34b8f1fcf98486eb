// A fleet as a trace leaves it: workers with pages, queues and batches, ready to be asked.
#pragma once

#include <cstdint>
#include <vector>

#include "router/route_planner.h"
#include "tests/replay/trace_file.h"
#include "tests/sim/sim_random.h"

namespace baton::bench {

/// One request of the trace as the router sees it.
struct RoutedPrompt {
  std::vector<std::uint64_t> keys;
  int tokens = 1;
  int output_tokens = 1;
};

std::vector<RoutedPrompt> PromptsOf(const Trace& trace, int page_tokens);

class RoutedFleet {
 public:
  /// `workers` in all, half of them prefill.
  RoutedFleet(int workers, int page_tokens);

  /// Routes every prompt once, in virtual time; both workers then hold its pages.
  void Fill(const Trace& trace, const std::vector<RoutedPrompt>& prompts);

  RoutePlanner& planner() { return planner_; }
  Instant now() const { return now_; }
  double event_ns_a_page() const { return event_seconds_ * 1e9 / event_pages_; }

 private:
  static RouterOptions OptionsFor();
  void Join(std::uint32_t number, bool decode, int page_tokens);
  void Hold(LinkId link, const RoutedPrompt& prompt, bool computed);
  void StateLoad(LinkId link);

  struct Told {
    std::uint64_t events = 0;
    std::uint64_t loads = 0;
    Instant busy_until{};
  };

  RoutePlanner planner_;
  SimRandom random_{1};
  Instant now_{std::chrono::hours(1)};
  std::vector<Told> told_;
  double event_seconds_ = 0;
  double event_pages_ = 0;
};

}  // namespace baton::bench
