// A router's series: copies RouterStats into Prometheus at each scrape.
#pragma once

#include "router/router_stats.h"
#include "server/roles/metric_mirror.h"

namespace baton {

/// Thread: one (a scrape's).
class RouterMetrics {
 public:
  explicit RouterMetrics(Metrics& metrics);

  void Follow(const RouterStats& stats);

 private:
  MirroredFamily decisions_, outcomes_, rejects_, retries_;
  MirroredCounter predicted_, realised_, gaps_;
  MetricGauge index_pages_;
  std::map<std::string, MetricGauge> workers_;  // "prefill ready" and so on
};

}  // namespace baton
