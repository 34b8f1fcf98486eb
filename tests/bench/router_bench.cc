#include "tests/bench/router_bench.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "base/json.h"
#include "tests/bench/routed_fleet.h"
#include "tests/bench/stopwatch.h"
#include "tests/testing/calibrate.h"

namespace baton::bench {
namespace {

constexpr int kRounds = 3;
// Of the plain walk's rate, with 64-token pages; other pages and fleets have no bar.
struct Bar {
  int workers;
  double ratio;
};
constexpr Bar kBars[] = {{7000, 2.0}, {64, 1.7}};
constexpr double kBytesBar = 28;  // a (page, worker)

struct Options {
  std::vector<int> workers = {64, 1000, 7000};
  int page_tokens = 64;
  std::string trace;  // empty: the conversation trace
  bool json = false;
};

struct Figures {
  int workers = 0;
  double per_second = 0;
  double plain_per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  double event_ns = 0;
  double bytes_a_page = 0;
  double bar = 0;  // 0: none

  double ratio() const { return per_second / plain_per_second; }
  bool met() const { return ratio() >= bar && bytes_a_page <= kBytesBar; }
};

// One way to decide: who may serve, then which pair.
class Decider {
 public:
  Decider(RoutedFleet& fleet, CandidateFinder::Walk walk)
      : fleet_(fleet), table_(fleet.planner().table()), finder_(walk) {}

  double Decide(const RoutedPrompt& prompt, std::uint64_t draw) {
    const RoutePlanner& planner = fleet_.planner();
    const RouteAsk ask{.keys = prompt.keys,
                       .prompt_tokens = prompt.tokens,
                       .output_tokens = prompt.output_tokens,
                       .avoid = {},
                       .draw = draw};
    const RouteQuery query = planner.QueryOf(ask);
    const CandidatesQuery who{.keys = ask.keys, .avoid = {}};
    const Candidates& found =
        finder_.Find(table_, planner.index(), options_, who, query, fleet_.now());
    const auto choice = chooser_.Choose(query, found.prefill, found.decode);
    return choice ? choice->cost_seconds : 0;
  }

 private:
  RoutedFleet& fleet_;
  RouteTable table_;
  const RouterOptions options_;
  CandidateFinder finder_;
  RouteChooser chooser_;
};

/// CPU seconds of a decision for every prompt; `costs` adds up what was chosen.
double SecondsOfPass(Decider& decider, const std::vector<RoutedPrompt>& prompts, double& costs) {
  const Stopwatch watch(Clock::kCpu);
  std::uint64_t draw = 0;
  for (const RoutedPrompt& prompt : prompts) costs += decider.Decide(prompt, ++draw);
  return watch.Seconds();
}

void Latencies(Decider& decider, const std::vector<RoutedPrompt>& prompts, Figures& figures) {
  std::vector<double> seconds;
  seconds.reserve(prompts.size());
  for (const RoutedPrompt& prompt : prompts) {
    const Stopwatch watch(Clock::kWall);
    decider.Decide(prompt, seconds.size());
    seconds.push_back(watch.Seconds());
  }
  std::sort(seconds.begin(), seconds.end());
  figures.p50_us = 1e6 * seconds[seconds.size() / 2];
  figures.p99_us = 1e6 * seconds[seconds.size() * 99 / 100];
}

// Nothing where the two walks disagree.
std::optional<Figures> Measure(int workers, const Options& options, const Trace& trace,
                               const std::vector<RoutedPrompt>& prompts) {
  RoutedFleet fleet(workers, options.page_tokens);
  fleet.Fill(trace, prompts);
  Figures figures{.workers = workers, .event_ns = fleet.event_ns_a_page()};
  const FleetIndex& index = fleet.planner().index();
  figures.bytes_a_page = static_cast<double>(index.bytes()) / static_cast<double>(index.pages());
  for (const Bar& bar : kBars) {
    if (bar.workers == workers && options.page_tokens == 64) figures.bar = bar.ratio;
  }
  Decider galloping(fleet, &FleetMatch::Run);
  Decider plain(fleet, &FleetMatch::RunPlain);
  for (int round = 0; round < kRounds; ++round) {
    double costs = 0;
    double plain_costs = 0;
    const double seconds = SecondsOfPass(galloping, prompts, costs);
    const double plain_seconds = SecondsOfPass(plain, prompts, plain_costs);
    if (costs != plain_costs) return std::nullopt;
    const auto rate = static_cast<double>(prompts.size());
    figures.per_second = std::max(figures.per_second, rate / seconds);
    figures.plain_per_second = std::max(figures.plain_per_second, rate / plain_seconds);
  }
  Latencies(galloping, prompts, figures);
  return figures;
}

void Print(const Figures& f) {
  std::printf("%5d workers: %7.0f decisions/s (plain walk %7.0f, %.2f x", f.workers, f.per_second,
              f.plain_per_second, f.ratio());
  if (f.bar > 0) std::printf(", bar %.1f x %s", f.bar, f.ratio() >= f.bar ? "met" : "MISSED");
  std::printf("), p50 %.1f us, p99 %.1f us, events %.0f ns a page, %.1f bytes a (page, worker)%s\n",
              f.p50_us, f.p99_us, f.event_ns, f.bytes_a_page,
              f.bytes_a_page <= kBytesBar ? "" : " MISSED: 28");
}

JsonValue JsonOf(const Figures& f) {
  return MakeJson({{"workers", f.workers},
                   {"decisions_per_second", f.per_second},
                   {"plain_decisions_per_second", f.plain_per_second},
                   {"ratio", f.ratio()},
                   {"bar", f.bar},
                   {"p50_us", f.p50_us},
                   {"p99_us", f.p99_us},
                   {"event_ns_a_page", f.event_ns},
                   {"bytes_a_page_and_worker", f.bytes_a_page}});
}

bool Parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const absl::string_view flag = argv[i];
    int number = 0;
    if (flag == "--json") {
      options->json = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (flag == "--trace") {
      options->trace = argv[++i];
    } else if (!absl::SimpleAtoi(argv[++i], &number)) {
      return false;
    } else if (flag == "--workers" && number >= 2 && number <= 16'000) {
      options->workers = {number};
    } else if (flag == "--page" && number >= 1 && kTraceBlockTokens % number == 0) {
      options->page_tokens = number;
    } else {
      return false;
    }
  }
  return true;
}

absl::StatusOr<ConversationTrace> TraceOf(const Options& options) {
  if (options.trace.empty()) return LoadConversationTrace();
  absl::StatusOr<Trace> trace = ReadTrace(options.trace);
  if (!trace.ok()) return trace.status();
  return ConversationTrace{*std::move(trace), true};
}

}  // namespace

int RouterBench(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, &options)) {
    std::fprintf(stderr, "error: want [--workers N] [--page TOKENS] [--trace FILE] [--json]\n");
    return 2;
  }
  const absl::StatusOr<ConversationTrace> trace = TraceOf(options);
  if (!trace.ok()) {
    std::fprintf(stderr, "error: %s\n", std::string(trace.status().message()).c_str());
    return 2;
  }
  const std::vector<RoutedPrompt> prompts = PromptsOf(trace->requests, options.page_tokens);
  std::printf("%s trace, %zu requests, pages of %d tokens, one core\n",
              trace->recorded ? "recorded" : "generated", prompts.size(), options.page_tokens);
  const Calibration before = Calibrate();
  JsonArray rows;
  bool met = true;
  for (const int workers : options.workers) {
    const std::optional<Figures> figures = Measure(workers, options, trace->requests, prompts);
    if (!figures) {
      std::fprintf(stderr, "error: the two walks chose differently\n");
      return 2;
    }
    Print(*figures);
    rows.push_back(JsonOf(*figures));
    met = met && figures->met();
  }
  const double drift = DriftBetween(before, Calibrate());
  if (options.json) std::printf("%s\n", WriteJson(JsonValue(std::move(rows))).c_str());
  PrintIfVoid(drift);
  if (drift > kCalibrationDriftMax) return 3;
  return met ? 0 : 1;
}

}  // namespace baton::bench
