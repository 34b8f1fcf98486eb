// The pictures of a replay, as SVG written by hand: bars and lines over two axes.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/replay/trace_report.h"

namespace baton {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 320;
constexpr double kMargin = 50;
constexpr double kHitBucketSeconds = 60;

struct Point {
  double x = 0;
  double y = 0;
};

struct Axes {
  std::string title;
  std::string x;
  std::string y;
  double x_max = 1;
  double y_max = 1;
};

double XOf(const Axes& axes, double x) { return kMargin + x / axes.x_max * (kWidth - 2 * kMargin); }
double YOf(const Axes& axes, double y) {
  return kHeight - kMargin - y / axes.y_max * (kHeight - 2 * kMargin);
}

std::string Text(double x, double y, const std::string& text, const char* anchor = "middle") {
  return absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor,
                         text);
}

std::string Frame(const Axes& axes, const std::string& inside) {
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
      "fill=\"white\"/>\n",
      kWidth, kHeight);
  absl::StrAppend(&svg, Text(kWidth / 2, 24, axes.title));
  absl::StrAppend(&svg, Text(kWidth / 2, kHeight - 8, axes.x));
  absl::StrAppend(&svg, Text(8, 40, axes.y, "start"));
  constexpr int kTicks = 5;
  for (int i = 0; i <= kTicks; ++i) {
    const double share = static_cast<double>(i) / kTicks;
    const double y = YOf(axes, share * axes.y_max);
    const double x = XOf(axes, share * axes.x_max);
    absl::StrAppendFormat(&svg,
                          "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
                          "stroke=\"#ddd\"/>\n",
                          kMargin, y, kWidth - kMargin, y);
    absl::StrAppend(&svg,
                    Text(kMargin - 4, y + 4, absl::StrFormat("%.3g", share * axes.y_max), "end"));
    absl::StrAppend(&svg,
                    Text(x, kHeight - kMargin + 16, absl::StrFormat("%.4g", share * axes.x_max)));
  }
  return absl::StrCat(svg, inside, "</svg>\n");
}

std::string Line(const Axes& axes, const std::vector<Point>& points) {
  std::string path;
  for (const Point& p : points) {
    absl::StrAppendFormat(&path, "%.1f,%.1f ", XOf(axes, p.x), YOf(axes, p.y));
  }
  return absl::StrCat("<polyline fill=\"none\" stroke=\"#1f77b4\" points=\"", path, "\"/>\n");
}

std::string TtftPlot(const TraceRun& run) {
  std::vector<double> ttft;
  for (const TraceOutcome& outcome : run.outcomes) {
    if (outcome.end == TraceOutcome::End::kServed) ttft.push_back(outcome.ttft);
  }
  std::sort(ttft.begin(), ttft.end());
  Axes axes{.title = "time to first token: share of served requests",
            .x = "seconds",
            .y = "share",
            .x_max = std::max(1e-3, PercentileOf(ttft, 99.5))};
  std::vector<Point> points;
  for (int i = 0; i <= 400; ++i) {
    const double x = axes.x_max * i / 400;
    const auto below = std::upper_bound(ttft.begin(), ttft.end(), x) - ttft.begin();
    points.push_back({x, static_cast<double>(below) /
                             static_cast<double>(std::max<std::size_t>(1, ttft.size()))});
  }
  return Frame(axes, Line(axes, points));
}

std::string LoadPlot(const TraceRun& run) {
  const auto workers = static_cast<double>(std::max<std::size_t>(1, run.prefill_busy.size()));
  Axes axes{.title = "work of each prefill worker", .x = "worker", .y = "busy s", .x_max = workers};
  for (const double busy : run.prefill_busy) axes.y_max = std::max(axes.y_max, busy);
  std::string bars;
  for (std::size_t w = 0; w < run.prefill_busy.size(); ++w) {
    const auto x = static_cast<double>(w);
    const double left = XOf(axes, x + 0.1);
    const double top = YOf(axes, run.prefill_busy[w]);
    absl::StrAppendFormat(
        &bars, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#1f77b4\"/>\n",
        left, top, XOf(axes, x + 0.9) - left, YOf(axes, 0) - top);
  }
  return Frame(axes, bars);
}

std::string HitPlot(const TraceRun& run) {
  Axes axes{.title = "cached share of prompts, by the minute", .x = "seconds", .y = "share"};
  for (const TraceOutcome& o : run.outcomes) axes.x_max = std::max(axes.x_max, o.arrived);
  std::vector<double> cached(static_cast<std::size_t>(axes.x_max / kHitBucketSeconds) + 1);
  std::vector<double> input(cached.size());
  for (const TraceOutcome& o : run.outcomes) {
    if (o.end != TraceOutcome::End::kServed) continue;
    const auto bucket = static_cast<std::size_t>(o.arrived / kHitBucketSeconds);
    cached[bucket] += o.cached_tokens;
    input[bucket] += o.input_tokens;
  }
  std::vector<Point> points;
  for (std::size_t b = 0; b < cached.size(); ++b) {
    if (input[b] > 0) {
      points.push_back({(static_cast<double>(b) + 0.5) * kHitBucketSeconds, cached[b] / input[b]});
    }
  }
  for (Point& point : points) point.x = std::min(point.x, axes.x_max);
  return Frame(axes, Line(axes, points));
}

}  // namespace

TracePlots PlotsOf(const TraceRun& run) {
  return {.ttft = TtftPlot(run), .load = LoadPlot(run), .hits = HitPlot(run)};
}

}  // namespace baton
