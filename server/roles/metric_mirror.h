// Prometheus series that follow plain numbers: the pure objects count in structs, the role copies
// those into series when a scrape asks.
//
// Thread: one (the HTTP thread, at a scrape).
#pragma once

#include <map>
#include <string>

#include "base/metrics.h"

namespace baton {

/// A counter that is told its total.
class MirroredCounter {
 public:
  MirroredCounter(Metrics& metrics, const MetricSpec& spec, const MetricLabels& labels = {})
      : counter_(metrics.Counter(spec, labels)) {}

  void Follow(double total) {
    if (total > told_) counter_.Add(total - told_);
    told_ = total;
  }

 private:
  MetricCounter counter_;
  double told_ = 0;
};

/// Counters of one metric that differ in one label, whose values are a closed set known to the
/// caller; those named at construction exist from the start as zeros.
class MirroredFamily {
 public:
  MirroredFamily(Metrics& metrics, const MetricSpec& spec, std::string label,
                 std::initializer_list<const char*> values)
      : metrics_(metrics), spec_(spec), label_(std::move(label)) {
    for (const char* value : values) Of(value);
  }

  void Follow(const std::string& value, double total) { Of(value).Follow(total); }

 private:
  MirroredCounter& Of(const std::string& value) {
    const auto found = counters_.find(value);
    if (found != counters_.end()) return found->second;
    return counters_.emplace(value, MirroredCounter(metrics_, spec_, {{label_, value}}))
        .first->second;
  }

  Metrics& metrics_;
  const MetricSpec& spec_;
  const std::string label_;
  std::map<std::string, MirroredCounter> counters_;
};

}  // namespace baton
