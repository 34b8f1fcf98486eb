#include "tests/replay/trace_report.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_format.h"

namespace baton {
namespace {

const char* NameOf(TraceOutcome::End end) {
  switch (end) {
    case TraceOutcome::End::kServed:
      return "served";
    case TraceOutcome::End::kRefused:
      return "refused";
    case TraceOutcome::End::kOpen:
    case TraceOutcome::End::kLost:
      break;
  }
  return "lost";
}

// Source: docs/routing.md: what the standard class is promised.
double BudgetOf(const TraceOutcome& outcome) {
  constexpr double kStandardSeconds = 5;
  return std::max(kStandardSeconds, 2 * outcome.own_prefill);
}

double MeanOf(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// What the served requests say, one value each.
struct Columns {
  std::vector<double> ttft;
  std::vector<double> slowdown;
  std::vector<double> error;
  std::vector<double> itl_max;
  std::vector<double> itl_mean;
  double cached = 0;
  double input = 0;
  double in_budget = 0;
};

Columns ColumnsOf(const TraceRun& run) {
  Columns columns;
  for (const TraceOutcome& outcome : run.outcomes) {
    if (outcome.end != TraceOutcome::End::kServed) continue;
    columns.ttft.push_back(outcome.ttft);
    if (outcome.own_prefill > 0) columns.slowdown.push_back(outcome.ttft / outcome.own_prefill);
    if (outcome.forecast > 0) {
      columns.error.push_back(std::abs(outcome.ttft / outcome.forecast - 1));
    }
    columns.itl_max.push_back(outcome.itl_max);
    columns.itl_mean.push_back(outcome.itl_mean);
    columns.cached += outcome.cached_tokens;
    columns.input += outcome.input_tokens;
    columns.in_budget += outcome.ttft <= BudgetOf(outcome) ? 1 : 0;
  }
  return columns;
}

}  // namespace

double PercentileOf(std::vector<double> values, double percent) {
  if (values.empty()) return 0;
  const auto last = static_cast<double>(values.size() - 1);
  const auto place = static_cast<std::ptrdiff_t>(std::llround(last * percent / 100));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

TraceFigures FiguresOf(const TraceRun& run) {
  const Columns columns = ColumnsOf(run);
  TraceFigures figures;
  figures.requests = run.outcomes.size();
  figures.served = columns.ttft.size();
  for (const TraceOutcome& outcome : run.outcomes) {
    figures.refused += outcome.end == TraceOutcome::End::kRefused ? 1 : 0;
    figures.lost += outcome.end == TraceOutcome::End::kLost ? 1 : 0;
  }
  figures.hit = columns.input > 0 ? columns.cached / columns.input : 0;
  const double busy = MeanOf(run.prefill_busy);
  if (busy > 0) {
    figures.imbalance = *std::max_element(run.prefill_busy.begin(), run.prefill_busy.end()) / busy;
  }
  figures.ttft_mean_s = MeanOf(columns.ttft);
  figures.ttft_p50_s = PercentileOf(columns.ttft, 50);
  figures.ttft_p99_s = PercentileOf(columns.ttft, 99);
  figures.slowdown_p99 = PercentileOf(columns.slowdown, 99);
  figures.in_budget =
      columns.in_budget / static_cast<double>(std::max<std::size_t>(1, figures.requests));
  figures.forecast_p50 = PercentileOf(columns.error, 50);
  figures.forecast_p90 = PercentileOf(columns.error, 90);
  figures.itl_mean_s = MeanOf(columns.itl_mean);
  figures.itl_p99_s = PercentileOf(columns.itl_max, 99);
  figures.seconds = run.seconds;
  return figures;
}

JsonObject JsonOf(const TraceFigures& f) {
  const auto count = [](std::size_t n) { return JsonValue(static_cast<std::int64_t>(n)); };
  return MakeJson({{"requests", count(f.requests)},
                   {"served", count(f.served)},
                   {"refused", count(f.refused)},
                   {"lost", count(f.lost)},
                   {"hit", f.hit},
                   {"imbalance", f.imbalance},
                   {"ttft_mean_s", f.ttft_mean_s},
                   {"ttft_p50_s", f.ttft_p50_s},
                   {"ttft_p99_s", f.ttft_p99_s},
                   {"slowdown_p99", f.slowdown_p99},
                   {"in_budget", f.in_budget},
                   {"forecast_error_p50", f.forecast_p50},
                   {"forecast_error_p90", f.forecast_p90},
                   {"itl_mean_s", f.itl_mean_s},
                   {"itl_p99_s", f.itl_p99_s},
                   {"seconds", f.seconds}});
}

std::string CsvOf(const TraceRun& run) {
  std::string csv =
      "request,arrived_s,end,router,prefill,decode,input_tokens,output_tokens,cached_tokens,"
      "forecast_s,ttft_s,finished_s,itl_mean_s,itl_max_s\n";
  for (std::size_t i = 0; i < run.outcomes.size(); ++i) {
    const TraceOutcome& o = run.outcomes[i];
    absl::StrAppendFormat(&csv, "%d,%.6f,%s,%d,%d,%d,%d,%d,%d,%.6f,%.6f,%.6f,%.6f,%.6f\n", i,
                          o.arrived, NameOf(o.end), o.router, o.prefill, o.decode, o.input_tokens,
                          o.output_tokens, o.cached_tokens, o.forecast, o.ttft, o.finished,
                          o.itl_mean, o.itl_max);
  }
  return csv;
}

}  // namespace baton
