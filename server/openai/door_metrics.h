// What users feel, measured at the router's door (the `vllm:` family of the router and our own
// overhead). Handles only: cheap to use, made once.
#pragma once

#include "base/metrics.h"

namespace baton {

struct DoorMetrics {
  explicit DoorMetrics(Metrics& metrics)
      : ended_by_stop(metrics.Counter(metric::kRequestSuccess, {{"finished_reason", "stop"}})),
        ended_by_length(metrics.Counter(metric::kRequestSuccess, {{"finished_reason", "length"}})),
        ended_by_abort(metrics.Counter(metric::kRequestSuccess, {{"finished_reason", "abort"}})),
        ended_by_error(metrics.Counter(metric::kRequestSuccess, {{"finished_reason", "error"}})),
        first_token(metrics.Histogram(metric::kTimeToFirstToken)),
        inter_token(metrics.Histogram(metric::kInterTokenLatency)),
        end_to_end(metrics.Histogram(metric::kE2eLatency)),
        prompt_tokens(metrics.Histogram(metric::kRequestPromptTokens)),
        generated_tokens(metrics.Histogram(metric::kRequestGenerationTokens)),
        dispatch(metrics.Histogram(metric::kRouterOverhead, {{"stage", "dispatch"}})),
        chunk(metrics.Histogram(metric::kRouterOverhead, {{"stage", "chunk"}})) {}

  MetricCounter ended_by_stop;
  MetricCounter ended_by_length;
  MetricCounter ended_by_abort;
  MetricCounter ended_by_error;
  MetricHistogram first_token;
  MetricHistogram inter_token;
  MetricHistogram end_to_end;
  MetricHistogram prompt_tokens;
  MetricHistogram generated_tokens;
  MetricHistogram dispatch;  // request read -> handed to the router
  MetricHistogram chunk;     // token received -> given to the socket
};

}  // namespace baton
