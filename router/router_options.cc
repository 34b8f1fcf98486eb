#include "router/router_options.h"

namespace baton {

RouterOptions RouterOptionsFrom(const Config& config) {
  const RouterConfig& router = config.router;
  RouterOptions options;
  if (router.policy == "round_robin") options.policy = RoutePolicy::kRoundRobin;
  if (router.policy == "cache_aware") options.policy = RoutePolicy::kCacheAware;
  if (router.policy == "power_of_two") options.policy = RoutePolicy::kPowerOfTwo;
  if (router.policy == "random") options.policy = RoutePolicy::kRandom;
  options.decode_weight = router.decode_weight;
  options.local_prefill_tokens_max = router.local_prefill_tokens_max;
  if (config.prefill.step_tokens_max > 0) options.step_tokens_max = config.prefill.step_tokens_max;
  options.backlog_max = Milliseconds(router.backlog_ms_max);
  options.heartbeat = std::chrono::seconds(router.heartbeat_seconds);
  options.worker_ttl = std::chrono::seconds(router.worker_ttl_seconds);
  options.alone_after = Milliseconds(router.alone_after_ms);
  options.lost_worker_wait = Milliseconds(router.lost_worker_wait_ms);
  options.index_bytes_max = router.index_bytes_max;
  options.index_stride = static_cast<std::uint32_t>(router.index_stride);
  if (router.requests_max > 0) options.requests_max = router.requests_max;
  options.queue_requests_max = router.queue_requests_max;
  options.queue_max = Milliseconds(router.queue_ms_max);
  options.retries_max = router.retries.max;
  options.backoff = Milliseconds(router.retries.backoff_ms);
  return options;
}

}  // namespace baton
