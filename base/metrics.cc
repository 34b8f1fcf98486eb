#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace baton {
namespace {

using Boundaries = prometheus::Histogram::BucketBoundaries;

// Source of vLLM's families: vllm/v1/metrics/loggers.py; finer buckets of ours stand in front.
Boundaries BoundariesOf(MetricBuckets buckets) {
  switch (buckets) {
    case MetricBuckets::kNone:
      return {};
    case MetricBuckets::kMicro:
      return {1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 1e-1};
    case MetricBuckets::kMilli:
      return {1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2e-2, 4e-2,
              8e-2, .16,    .32,  .64,  1.28,   2.5,  5,    10};
    case MetricBuckets::kTtft:
      return {.001, .005, .01, .02, .04, .06, .08, .1, .25, .5,  .75,
              1,    2.5,  5,   7.5, 10,  20,  40,  80, 160, 640, 2560};
    case MetricBuckets::kItl:
      return {.001, .0025, .005, .01, .025, .05, .075, .1, .15, .2, .3,
              .4,   .5,    .75,  1,   2.5,  5,   7.5,  10, 20,  40, 80};
    case MetricBuckets::kRequest:
      return {.01, .03, .1, .3, .5, .8, 1,   1.5, 2,   2.5, 5,    10,
              15,  20,  30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680};
    case MetricBuckets::kTokens:
      return {1,    2,    5,    10,    20,    50,    100,    200,   500,
              1000, 2000, 5000, 10000, 20000, 50000, 100000, 131072};
    case MetricBuckets::kBytes:
      return {2048,     8192,      32768,      131072,     524288,      2097152,
              8388608., 33554432., 134217728., 536870912., 2147483648., 8589934592.};
  }
  return {};
}

double ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  long total = 0;
  long resident = 0;
  const int read = std::fscanf(file, "%ld %ld", &total, &resident);
  std::fclose(file);
  return read == 2 ? static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

std::string ProcessLines() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return absl::StrFormat(
      "# HELP process_resident_memory_bytes resident memory\n"
      "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %.0f\n"
      "# HELP process_cpu_seconds_total user and system time\n"
      "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.6f\n",
      ResidentBytes(), seconds(usage.ru_utime) + seconds(usage.ru_stime));
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  MetricLabels vllm_labels;

  MetricLabels LabelsOf(const MetricSpec& spec, const MetricLabels& labels) const {
    MetricLabels all = labels;
    if (absl::StartsWith(spec.name, "vllm:")) all.insert(vllm_labels.begin(), vllm_labels.end());
    return all;
  }
};

void MetricCounter::Add(double amount) const {
  static_cast<prometheus::Counter*>(counter_)->Increment(amount);
}
double MetricCounter::Value() const { return static_cast<prometheus::Counter*>(counter_)->Value(); }
void MetricGauge::Set(double value) const { static_cast<prometheus::Gauge*>(gauge_)->Set(value); }
double MetricGauge::Value() const { return static_cast<prometheus::Gauge*>(gauge_)->Value(); }
void MetricHistogram::Observe(double value) const {
  static_cast<prometheus::Histogram*>(histogram_)->Observe(value);
}

Metrics::Metrics(MetricLabels vllm_labels) : state_(std::make_unique<State>()) {
  state_->vllm_labels = std::move(vllm_labels);
}
Metrics::~Metrics() = default;

MetricCounter Metrics::Counter(const MetricSpec& spec, const MetricLabels& labels) {
  MetricCounter handle;
  auto& family =
      prometheus::BuildCounter().Name(spec.name).Help(spec.help).Register(state_->registry);
  handle.counter_ = &family.Add(state_->LabelsOf(spec, labels));
  return handle;
}

MetricGauge Metrics::Gauge(const MetricSpec& spec, const MetricLabels& labels) {
  MetricGauge handle;
  auto& family =
      prometheus::BuildGauge().Name(spec.name).Help(spec.help).Register(state_->registry);
  handle.gauge_ = &family.Add(state_->LabelsOf(spec, labels));
  return handle;
}

MetricHistogram Metrics::Histogram(const MetricSpec& spec, const MetricLabels& labels) {
  MetricHistogram handle;
  auto& family =
      prometheus::BuildHistogram().Name(spec.name).Help(spec.help).Register(state_->registry);
  handle.histogram_ = &family.Add(state_->LabelsOf(spec, labels), BoundariesOf(spec.buckets));
  return handle;
}

std::string Metrics::Expose() const {
  return prometheus::TextSerializer().Serialize(state_->registry.Collect()) + ProcessLines();
}

}  // namespace baton
