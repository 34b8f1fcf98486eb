#include "server/roles/router_metrics.h"

#include "absl/strings/str_cat.h"

namespace baton {

RouterMetrics::RouterMetrics(Metrics& metrics)
    : decisions_(metrics, metric::kRouteDecisions, "outcome",
                 {"disaggregated", "local", "fallback"}),
      outcomes_(metrics, metric::kRequests, "outcome",
                {"finished", "cancelled", "deadline", "internal"}),
      rejects_(metrics, metric::kRejects, "reason", {"no_worker", "queue_full", "draining"}),
      retries_(metrics, metric::kRetries, "reason", {"worker_lost", "refused", "failed"}),
      predicted_(metrics, metric::kRoutePredictedTokens),
      realised_(metrics, metric::kRouteRealisedTokens),
      gaps_(metrics, metric::kRouteEventGaps),
      index_pages_(metrics.Gauge(metric::kRouteIndexPages)) {
  for (const char* role : {"prefill", "decode"}) {
    for (const char* state : {"ready", "draining", "suspect"}) {
      workers_[absl::StrCat(role, " ", state)] =
          metrics.Gauge(metric::kWorkers, {{"role", role}, {"state", state}});
    }
  }
}

void RouterMetrics::Follow(const RouterStats& stats) {
  decisions_.Follow("disaggregated", static_cast<double>(stats.routed_disaggregated));
  decisions_.Follow("local", static_cast<double>(stats.routed_local));
  decisions_.Follow("fallback", static_cast<double>(stats.routed_fallback));
  for (const auto& [outcome, count] : stats.outcomes)
    outcomes_.Follow(outcome, static_cast<double>(count));
  for (const auto& [reason, count] : stats.rejects)
    rejects_.Follow(reason, static_cast<double>(count));
  for (const auto& [reason, count] : stats.retries)
    retries_.Follow(reason, static_cast<double>(count));
  predicted_.Follow(static_cast<double>(stats.predicted_tokens));
  realised_.Follow(static_cast<double>(stats.realised_tokens));
  gaps_.Follow(static_cast<double>(stats.event_gaps));
  index_pages_.Set(static_cast<double>(stats.index_pages));
  for (auto& [name, gauge] : workers_) {
    const auto found = stats.workers.find(name);
    gauge.Set(found == stats.workers.end() ? 0 : found->second);
  }
}

}  // namespace baton
