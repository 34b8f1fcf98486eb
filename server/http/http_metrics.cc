#include "server/http/http_metrics.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

namespace baton {
namespace {

// Present from the start for each known route; any other code appears with its first answer.
constexpr std::array kUsualCodes = {200, 400, 404, 429, 500, 503};

// What probes ask all day: counted, they would drown what clients ask.
constexpr std::array<absl::string_view, 10> kUncounted = {
    "/livez",     "/live",         "/liveness", "/readyz", "/ready",
    "/readiness", "/health/ready", "/health",   "/ping",   "/metrics"};

class AnswerCounts {
 public:
  explicit AnswerCounts(Metrics& metrics) : metrics_(&metrics) {
    for (const char* route : {"/v1/chat/completions", "/v1/completions"}) {
      for (const int code : kUsualCodes) Find(route, code);
    }
  }

  void Count(absl::string_view route, int status) {
    if (std::find(kUncounted.begin(), kUncounted.end(), route) != kUncounted.end()) return;
    Find(route.empty() ? "none" : std::string(route), status).Add();
  }

 private:
  const MetricCounter& Find(const std::string& route, int code) {
    const auto key = std::make_pair(route, code);
    const auto it = counters_.find(key);
    if (it != counters_.end()) return it->second;
    const MetricLabels labels = {{"route", route}, {"code", std::to_string(code)}};
    return counters_.emplace(key, metrics_->Counter(metric::kHttpRequests, labels)).first->second;
  }

  Metrics* metrics_;
  std::map<std::pair<std::string, int>, MetricCounter> counters_;
};

}  // namespace

std::function<void(absl::string_view route, int status)> CountAnswers(Metrics& metrics) {
  return [counts = AnswerCounts(metrics)](absl::string_view route, int status) mutable {
    counts.Count(route, status);
  };
}

}  // namespace baton
