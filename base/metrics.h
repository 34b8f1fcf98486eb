// Counters, gauges and histograms in Prometheus' text format, behind prometheus-cpp (its one door
// is base/metrics.cc). Names, help, labels and roles stand in base/metric_names.h alone. Every
// label value is created at start: zeros are data, and nothing grows with load.
//
// Thread: any, after construction.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>

#include "base/metric_names.h"

namespace baton {

using MetricLabels = std::map<std::string, std::string>;

/// Handles stay valid as long as the Metrics object; they are cheap to use from hot paths (one
/// atomic add).
class MetricCounter {
 public:
  void Add(double amount = 1) const;
  double Value() const;

 private:
  friend class Metrics;
  void* counter_ = nullptr;
};

class MetricGauge {
 public:
  void Set(double value) const;
  double Value() const;

 private:
  friend class Metrics;
  void* gauge_ = nullptr;
};

class MetricHistogram {
 public:
  void Observe(double value) const;

 private:
  friend class Metrics;
  void* histogram_ = nullptr;
};

/// All metrics of one process. Asking twice for the same (name, labels) gives the same handle.
class Metrics {
 public:
  /// `common` stands in every series, for example {{"model_name", "recall"}, {"engine", "0"}} for
  /// the `vllm:` family.
  explicit Metrics(MetricLabels vllm_labels);
  ~Metrics();

  MetricCounter Counter(const MetricSpec& spec, const MetricLabels& labels = {});
  MetricGauge Gauge(const MetricSpec& spec, const MetricLabels& labels = {});
  MetricHistogram Histogram(const MetricSpec& spec, const MetricLabels& labels = {});

  /// The exposition, text format 0.0.4, with `process_*` beside it.
  std::string Expose() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace baton
