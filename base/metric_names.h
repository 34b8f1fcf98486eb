// Every metric of Baton: name, help, type, label names, bucket family. One table, so that the
// dashboard, the documents and the exposition can be held to it (tests/tidy).
//
// A name that begins with `vllm:` keeps vLLM's spelling, labels and buckets, since pickers and load
// tools read those; `baton_` is ours. Each event is counted once, by the role where it happens.
#pragma once

#include <array>

namespace baton {

enum class MetricType { kCounter, kGauge, kHistogram };

/// Bucket families in seconds unless said otherwise.
enum class MetricBuckets {
  kNone,
  kMicro,    // from 1 us: decisions
  kMilli,    // from 100 us: hand-offs, steps
  kTtft,     // vLLM's time_to_first_token
  kItl,      // vLLM's inter_token_latency
  kRequest,  // vLLM's whole-request times
  kTokens,   // counts, 1 to 131072
  kBytes,    // 2^11 to 2^33
};

struct MetricSpec {
  const char* name;
  const char* help;
  MetricType type;
  MetricBuckets buckets = MetricBuckets::kNone;
};

namespace metric {

// --- router
inline constexpr MetricSpec kRequestSuccess{
    "vllm:request_success_total", "requests ended, by finished_reason", MetricType::kCounter};
inline constexpr MetricSpec kTimeToFirstToken{"vllm:time_to_first_token_seconds",
                                              "request read to first token", MetricType::kHistogram,
                                              MetricBuckets::kTtft};
inline constexpr MetricSpec kInterTokenLatency{"vllm:inter_token_latency_seconds",
                                               "between tokens of one stream",
                                               MetricType::kHistogram, MetricBuckets::kItl};
inline constexpr MetricSpec kE2eLatency{"vllm:e2e_request_latency_seconds",
                                        "request read to last token", MetricType::kHistogram,
                                        MetricBuckets::kRequest};
inline constexpr MetricSpec kRequestPromptTokens{"vllm:request_prompt_tokens",
                                                 "prompt tokens of a request",
                                                 MetricType::kHistogram, MetricBuckets::kTokens};
inline constexpr MetricSpec kRequestGenerationTokens{
    "vllm:request_generation_tokens", "generated tokens of a request", MetricType::kHistogram,
    MetricBuckets::kTokens};
inline constexpr MetricSpec kRequests{
    "baton_requests_total", "requests ended exactly once, by outcome", MetricType::kCounter};
inline constexpr MetricSpec kRejects{
    "baton_rejects_total", "requests refused at the door, by reason", MetricType::kCounter};
inline constexpr MetricSpec kRetries{"baton_retries_total",
                                     "new attempts after a worker was lost or refused, by reason",
                                     MetricType::kCounter};
inline constexpr MetricSpec kWorkers{
    "baton_workers", "workers as this router sees them, by role and state", MetricType::kGauge};
inline constexpr MetricSpec kRouteDecisions{
    "baton_route_decisions_total", "pairs chosen, by outcome disaggregated, local, fallback",
    MetricType::kCounter};
inline constexpr MetricSpec kRouteSeconds{"baton_route_seconds", "time of one decision",
                                          MetricType::kHistogram, MetricBuckets::kMicro};
inline constexpr MetricSpec kRouteIndexPages{
    "baton_route_index_pages", "(page, worker) pairs in the router's index", MetricType::kGauge};
inline constexpr MetricSpec kRouteEventGaps{
    "baton_route_event_gaps_total", "gaps in a worker's cache events, each answered by a snapshot",
    MetricType::kCounter};
inline constexpr MetricSpec kRoutePredictedTokens{"baton_route_predicted_tokens_total",
                                                  "cached tokens promised when routing",
                                                  MetricType::kCounter};
inline constexpr MetricSpec kRouteRealisedTokens{
    "baton_route_realised_tokens_total", "cached tokens found by the worker", MetricType::kCounter};
inline constexpr MetricSpec kHttpRequests{"baton_http_requests_total",
                                          "HTTP answers, by route and code", MetricType::kCounter};
inline constexpr MetricSpec kRouterOverhead{"baton_router_overhead_seconds",
                                            "time the router adds, by stage dispatch, chunk",
                                            MetricType::kHistogram, MetricBuckets::kMicro};
// --- both workers
inline constexpr MetricSpec kGenerationTokens{"vllm:generation_tokens_total", "tokens sampled here",
                                              MetricType::kCounter};
inline constexpr MetricSpec kRequestsRunning{"vllm:num_requests_running",
                                             "sequences in the running batch", MetricType::kGauge};
inline constexpr MetricSpec kRequestsWaiting{"vllm:num_requests_waiting", "sequences that wait",
                                             MetricType::kGauge};
inline constexpr MetricSpec kKvCacheUsage{"vllm:kv_cache_usage_perc",
                                          "share of the page pool that is not free, 0 to 1",
                                          MetricType::kGauge};
inline constexpr MetricSpec kCacheConfigInfo{"vllm:cache_config_info",
                                             "page size, pages, element type", MetricType::kGauge};
inline constexpr MetricSpec kPromptTokens{
    "vllm:prompt_tokens_total", "prompt tokens of requests prefilled here", MetricType::kCounter};
inline constexpr MetricSpec kPromptTokensCached{"vllm:prompt_tokens_cached_total",
                                                "prompt tokens found in the prefix cache",
                                                MetricType::kCounter};
inline constexpr MetricSpec kPrefixCacheQueries{"vllm:prefix_cache_queries_total",
                                                "prompt tokens looked up", MetricType::kCounter};
inline constexpr MetricSpec kPrefixCacheHits{"vllm:prefix_cache_hits_total", "prompt tokens found",
                                             MetricType::kCounter};
inline constexpr MetricSpec kTokensComputed{"baton_prefill_tokens_computed_total",
                                            "prompt tokens that went through the model",
                                            MetricType::kCounter};
inline constexpr MetricSpec kStepSeconds{"baton_step_seconds",
                                         "one step, by kind prefill, decode, mixed",
                                         MetricType::kHistogram, MetricBuckets::kMilli};
inline constexpr MetricSpec kStepTokens{"baton_step_tokens", "tokens of a step, by kind",
                                        MetricType::kHistogram, MetricBuckets::kTokens};
inline constexpr MetricSpec kQueueRequests{"baton_queue_requests", "work that waits, by stage",
                                           MetricType::kGauge};
inline constexpr MetricSpec kQueueTokens{"baton_queue_tokens", "tokens that wait, by stage",
                                         MetricType::kGauge};
inline constexpr MetricSpec kKvPages{"baton_kv_pages",
                                     "pages by state free, owned, inbound, quarantined, lost "
                                     "(these five sum to the pool), and promised",
                                     MetricType::kGauge};
inline constexpr MetricSpec kLeases{"baton_leases", "inbound leases by state open, closing",
                                    MetricType::kGauge};
inline constexpr MetricSpec kLedgerImbalance{
    "baton_ledger_imbalance", "pages that no owner accounts for; anything but 0 is a leak",
    MetricType::kGauge};
// --- hand-off
inline constexpr MetricSpec kHandoffExposed{
    "baton_handoff_exposed_seconds",
    "prompt computed to commit acknowledged, on the prefill worker's clock", MetricType::kHistogram,
    MetricBuckets::kMilli};
inline constexpr MetricSpec kHandoffSeconds{
    "baton_handoff_seconds", "one hand-off by stage offer, first_write, wire, commit",
    MetricType::kHistogram, MetricBuckets::kMilli};
inline constexpr MetricSpec kHandoffHold{
    "baton_handoff_hold_seconds",
    "grant to commit on the decode worker: pages that nobody can read yet", MetricType::kHistogram,
    MetricBuckets::kMilli};
inline constexpr MetricSpec kHandoffAdmit{"baton_handoff_admit_seconds",
                                          "commit to the first step on the decode worker",
                                          MetricType::kHistogram, MetricBuckets::kMilli};
inline constexpr MetricSpec kHandoffs{"baton_handoffs_total", "hand-offs ended, by outcome",
                                      MetricType::kCounter};
inline constexpr MetricSpec kHandoffTokens{"baton_handoff_tokens_total",
                                           "prompt tokens handed over", MetricType::kCounter};
inline constexpr MetricSpec kDeltaPagesSaved{"baton_handoff_delta_pages_saved_total",
                                             "pages not sent because decode already held them",
                                             MetricType::kCounter};
inline constexpr MetricSpec kTransferBytes{"baton_transfer_bytes_total",
                                           "page bytes moved, by engine, wire, direction",
                                           MetricType::kCounter};
inline constexpr MetricSpec kTransferWindow{
    "baton_transfer_window_bytes", "bytes that may be in flight to all open sessions together",
    MetricType::kGauge};
inline constexpr MetricSpec kTransferInfo{
    "baton_transfer_info", "1 per engine, wire and staging in use", MetricType::kGauge};
inline constexpr MetricSpec kStaleFramesRefused{
    "baton_stale_frames_refused_total",
    "frames whose lease was closed: refused before a byte landed", MetricType::kCounter};
inline constexpr MetricSpec kStaleCommits{"baton_stale_commits_total", "commits of a closed lease",
                                          MetricType::kCounter};
inline constexpr MetricSpec kCrcErrors{"baton_crc_errors_total",
                                       "frames whose checksum did not hold", MetricType::kCounter};
inline constexpr MetricSpec kSessions{"baton_sessions_total", "transfer sessions ended, by end",
                                      MetricType::kCounter};
inline constexpr MetricSpec kHelloRefused{"baton_hello_refused_total",
                                          "sessions refused, by the field that differs",
                                          MetricType::kCounter};
inline constexpr MetricSpec kFences{
    "baton_fences_total",
    "leases closed before they committed, by reason: from then on no byte lands",
    MetricType::kCounter};
// --- process
inline constexpr MetricSpec kBuildInfo{"baton_build_info", "version, backend, ucx",
                                       MetricType::kGauge};

/// Every spec above, for the exposition test and the documents.
inline constexpr std::array kAll = {&kRequestSuccess,
                                    &kTimeToFirstToken,
                                    &kInterTokenLatency,
                                    &kE2eLatency,
                                    &kRequestPromptTokens,
                                    &kRequestGenerationTokens,
                                    &kRequests,
                                    &kRejects,
                                    &kRetries,
                                    &kWorkers,
                                    &kRouteDecisions,
                                    &kRouteSeconds,
                                    &kRouteIndexPages,
                                    &kRouteEventGaps,
                                    &kRoutePredictedTokens,
                                    &kRouteRealisedTokens,
                                    &kHttpRequests,
                                    &kRouterOverhead,
                                    &kGenerationTokens,
                                    &kRequestsRunning,
                                    &kRequestsWaiting,
                                    &kKvCacheUsage,
                                    &kCacheConfigInfo,
                                    &kPromptTokens,
                                    &kPromptTokensCached,
                                    &kPrefixCacheQueries,
                                    &kPrefixCacheHits,
                                    &kTokensComputed,
                                    &kStepSeconds,
                                    &kStepTokens,
                                    &kQueueRequests,
                                    &kQueueTokens,
                                    &kKvPages,
                                    &kLeases,
                                    &kLedgerImbalance,
                                    &kHandoffExposed,
                                    &kHandoffSeconds,
                                    &kHandoffHold,
                                    &kHandoffAdmit,
                                    &kHandoffs,
                                    &kHandoffTokens,
                                    &kDeltaPagesSaved,
                                    &kTransferBytes,
                                    &kTransferWindow,
                                    &kTransferInfo,
                                    &kStaleFramesRefused,
                                    &kStaleCommits,
                                    &kCrcErrors,
                                    &kFences,
                                    &kSessions,
                                    &kHelloRefused,
                                    &kBuildInfo};

}  // namespace metric
}  // namespace baton
