// What a replay comes to: a few figures, a line a request, and pictures.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "tests/replay/trace_cluster.h"

namespace baton {

struct TraceFigures {
  std::size_t requests = 0;
  std::size_t served = 0;
  std::size_t refused = 0;
  std::size_t lost = 0;
  double hit = 0;        // cached prompt tokens over prompt tokens, of those served
  double imbalance = 0;  // busiest prefill worker over their mean
  double ttft_mean_s = 0;
  double ttft_p50_s = 0;
  double ttft_p99_s = 0;
  double slowdown_p99 = 0;  // TTFT over the prompt's own prefill time
  double in_budget = 0;     // of all requests: first token within 5 s, or twice its own prefill
  double forecast_p50 = 0;  // |TTFT / forecast - 1|
  double forecast_p90 = 0;
  double itl_mean_s = 0;
  double itl_p99_s = 0;  // of the longest gap of each answer
  double seconds = 0;    // until the last request had ended
};

TraceFigures FiguresOf(const TraceRun& run);
JsonObject JsonOf(const TraceFigures& figures);

/// A line a request, with a head.
std::string CsvOf(const TraceRun& run);

/// SVG: distribution of TTFT; seconds of work a worker; hit rate over time.
struct TracePlots {
  std::string ttft;
  std::string load;
  std::string hits;
};
TracePlots PlotsOf(const TraceRun& run);

/// The value below which `percent` of `values` lie; 0 when there are none.
double PercentileOf(std::vector<double> values, double percent);

}  // namespace baton
