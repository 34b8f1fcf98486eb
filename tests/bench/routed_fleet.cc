#include "tests/bench/routed_fleet.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "tests/bench/stopwatch.h"

namespace baton::bench {
namespace {

constexpr double kTokensPerSecond = 12'000;
constexpr std::uint32_t kPages = 1 << 20;
constexpr double kBacklogSeconds = 1.5;  // of a worker that was just given something, at most

Duration FromSeconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

std::vector<RoutedPrompt> PromptsOf(const Trace& trace, int page_tokens) {
  std::vector<RoutedPrompt> prompts;
  prompts.reserve(trace.size());
  for (const TraceRequest& request : trace) {
    prompts.push_back({.keys = TraceKeys(request, page_tokens),
                       .tokens = request.input_tokens,
                       .output_tokens = request.output_tokens});
  }
  return prompts;
}

RouterOptions RoutedFleet::OptionsFor() {
  RouterOptions options;
  options.heartbeat = std::chrono::hours(24);  // nobody falls silent
  options.index_bytes_max = 4ULL << 30;
  return options;
}

RoutedFleet::RoutedFleet(int workers, int page_tokens)
    : planner_(OptionsFor()), told_(static_cast<std::size_t>(workers)) {
  for (int w = 0; w < workers; ++w) {
    Join(static_cast<std::uint32_t>(w), w >= workers / 2, page_tokens);
  }
}

void RoutedFleet::Join(std::uint32_t number, bool decode, int page_tokens) {
  link::Register facts;
  facts.set_worker_id("worker-" + std::to_string(number));
  facts.set_incarnation(1);
  facts.set_role(decode ? link::ROLE_DECODE : link::ROLE_PREFILL);
  facts.set_pages(kPages);
  facts.set_page_tokens(static_cast<std::uint32_t>(page_tokens));
  BATON_CHECK(planner_.Join(LinkId{number}, facts, now_));
  StateLoad(LinkId{number});
}

void RoutedFleet::StateLoad(LinkId link) {
  Told& told = told_[Index(link)];
  const bool decode = Index(link) >= told_.size() / 2;
  link::Load load;
  load.set_number(++told.loads);
  load.set_free_pages(kPages - static_cast<std::uint32_t>(random_.Below(kPages / 2)));
  load.set_running_sequences(decode ? static_cast<std::uint32_t>(random_.Below(64)) : 0);
  const double backlog = std::max(0.0, ToSeconds(told.busy_until - now_));
  load.set_queue_requests(backlog > 0 ? 1 : 0);
  load.set_queue_tokens(static_cast<std::uint64_t>(backlog * kTokensPerSecond));
  load.set_step_seconds_fixed(4e-3);
  load.set_step_seconds_per_token(1 / kTokensPerSecond);
  load.set_step_seconds_per_pair(1e-10);
  load.set_step_seconds_per_sequence(1e-5);
  planner_.OnLoad(link, load, now_);
}

void RoutedFleet::Hold(LinkId link, const RoutedPrompt& prompt, bool computed) {
  Told& told = told_[Index(link)];
  link::CacheEvents events;
  events.set_first_number(told.events);
  // What it holds already is no event; a few pages too many change nothing.
  const int held = planner_.index().Depth(link, prompt.keys);
  for (std::size_t i = static_cast<std::size_t>(held); i < prompt.keys.size(); ++i) {
    events.add_stored(prompt.keys[i]);
  }
  told.events += static_cast<std::uint64_t>(events.stored_size());
  events.set_next_number(told.events);
  const Stopwatch watch(Clock::kWall);
  planner_.OnCacheEvents(link, events, now_);
  event_seconds_ += watch.Seconds();
  event_pages_ += events.stored_size();
  if (computed) {
    const double seconds = std::min(kBacklogSeconds, prompt.tokens / kTokensPerSecond);
    told.busy_until = std::max(told.busy_until, now_) + FromSeconds(seconds);
  }
  StateLoad(link);
}

void RoutedFleet::Fill(const Trace& trace, const std::vector<RoutedPrompt>& prompts) {
  const Instant start = now_;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    now_ = start + FromSeconds(trace[i].seconds);
    const RouteAsk ask{.keys = prompts[i].keys,
                       .prompt_tokens = prompts[i].tokens,
                       .output_tokens = prompts[i].output_tokens,
                       .avoid = {},
                       .draw = random_.Next()};
    const RoutePlan plan = planner_.Plan(ask, now_);
    if (!plan.choice) continue;  // all are busy for the moment
    if (plan.choice->prefill) Hold(*plan.choice->prefill, prompts[i], /*computed=*/true);
    Hold(plan.choice->decode, prompts[i], !plan.choice->prefill.has_value());
  }
}

}  // namespace baton::bench
