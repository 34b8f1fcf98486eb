#include "server/roles/worker_metrics.h"

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

MetricGauge PageGauge(Metrics& metrics, const char* state) {
  return metrics.Gauge(metric::kKvPages, {{"state", state}});
}

MetricHistogram StageHistogram(Metrics& metrics, const char* stage) {
  return metrics.Histogram(metric::kHandoffSeconds, {{"stage", stage}});
}

MetricLabels WireLabels(const std::string& wire, const char* direction) {
  return {{"engine", "validated"}, {"wire", wire}, {"direction", direction}};
}

double D(std::uint64_t value) { return static_cast<double>(value); }

void FollowSessions(const SessionEnds& ends, const RefusedFields& refused, MirroredFamily& ends_out,
                    MirroredFamily& refused_out) {
  for (std::size_t i = 0; i < kSessionEndNames.size(); ++i) {
    ends_out.Follow(kSessionEndNames[i], D(ends[static_cast<SessionEnd>(i)]));
  }
  for (const RefusedFields::Entry& entry : refused) {
    refused_out.Follow(entry.field.data(), D(entry.count));
  }
}

/// Several reasons share a label.
void FollowFences(const std::array<std::uint64_t, kHandoffReasons>& fences, MirroredFamily& out) {
  std::map<std::string, std::uint64_t> by_label;
  for (std::uint32_t i = 0; i < kHandoffReasons; ++i) {
    if (HandoffReason{i} == HandoffReason::kCommitted) continue;
    by_label[OutcomeOf(HandoffReason{i})] += fences[i];
  }
  for (const auto& [label, count] : by_label) out.Follow(label, D(count));
}

}  // namespace

PoolMetrics::PoolMetrics(Metrics& metrics, const KvLayout& layout, std::uint32_t pages)
    : free_(PageGauge(metrics, "free")),
      owned_(PageGauge(metrics, "owned")),
      inbound_(PageGauge(metrics, "inbound")),
      quarantined_(PageGauge(metrics, "quarantined")),
      lost_(PageGauge(metrics, "lost")),
      promised_(PageGauge(metrics, "promised")),
      imbalance_(metrics.Gauge(metric::kLedgerImbalance)),
      usage_(metrics.Gauge(metric::kKvCacheUsage)) {
  metrics
      .Gauge(metric::kCacheConfigInfo, {{"block_size", absl::StrCat(layout.tokens_per_page)},
                                        {"num_gpu_blocks", absl::StrCat(pages)},
                                        {"cache_dtype", std::string(NameOf(layout.dtype))}})
      .Set(1);
}

void PoolMetrics::Follow(const PageLedger& ledger) {
  free_.Set(ledger.free);
  owned_.Set(ledger.owned);
  inbound_.Set(ledger.inbound);
  quarantined_.Set(ledger.quarantined);
  lost_.Set(ledger.lost);
  promised_.Set(ledger.promised);
  imbalance_.Set(static_cast<double>(ledger.unaccounted()));
  usage_.Set(ledger.pool == 0 ? 0 : 1.0 - static_cast<double>(ledger.free) / ledger.pool);
}

PrefillMetrics::PrefillMetrics(Metrics& metrics)
    : prompt_(metrics, metric::kPromptTokens),
      cached_(metrics, metric::kPromptTokensCached),
      computed_(metrics, metric::kTokensComputed),
      generated_(metrics, metric::kGenerationTokens),
      queries_(metrics, metric::kPrefixCacheQueries),
      hits_(metrics, metric::kPrefixCacheHits),
      sessions_(metrics, metric::kSessions, "end", {}),
      hello_refused_(metrics, metric::kHelloRefused, "field", {"incarnation"}),
      running_(metrics.Gauge(metric::kRequestsRunning)),
      waiting_(metrics.Gauge(metric::kRequestsWaiting)),
      queue_requests_(metrics.Gauge(metric::kQueueRequests, {{"stage", "prefill"}})),
      queue_tokens_(metrics.Gauge(metric::kQueueTokens, {{"stage", "prefill"}})),
      window_(metrics.Gauge(metric::kTransferWindow)),
      exposed_(metrics.Histogram(metric::kHandoffExposed)),
      offer_(StageHistogram(metrics, "offer")),
      first_write_(StageHistogram(metrics, "first_write")),
      wire_(StageHistogram(metrics, "wire")),
      commit_(StageHistogram(metrics, "commit")),
      step_seconds_(metrics.Histogram(metric::kStepSeconds, {{"kind", "prefill"}})),
      step_tokens_(metrics.Histogram(metric::kStepTokens, {{"kind", "prefill"}})),
      handoff_tokens_(metrics.Counter(metric::kHandoffTokens)),
      pages_saved_(metrics.Counter(metric::kDeltaPagesSaved)) {
  for (std::uint32_t i = 0; i < kHandoffReasons; ++i) {
    const std::string outcome = OutcomeOf(HandoffReason{i});
    outcomes_[outcome] = metrics.Counter(metric::kHandoffs, {{"outcome", outcome}});
  }
  for (const char* wire : {"tcp", "shm", "loopback", "unknown"}) {
    bytes_[wire] = metrics.Counter(metric::kTransferBytes, WireLabels(wire, "out"));
    wires_[wire] = metrics.Gauge(metric::kTransferInfo,
                                 {{"engine", "validated"}, {"wire", wire}, {"staging", "none"}});
  }
}

void PrefillMetrics::Follow(const PrefillStats& stats, const OutboundStats& transfers) {
  prompt_.Follow(D(stats.prompt_tokens));
  cached_.Follow(D(stats.cached_tokens));
  computed_.Follow(D(stats.computed_tokens));
  generated_.Follow(D(stats.generated_tokens));
  queries_.Follow(D(stats.prompt_tokens));
  hits_.Follow(D(stats.cached_tokens));
  FollowSessions(transfers.sessions_ended, transfers.hello_refused, sessions_, hello_refused_);
  window_.Set(D(transfers.window_bytes));
  running_.Set(D(stats.running + stats.handing_over));
  waiting_.Set(D(stats.queue_requests));
  queue_requests_.Set(D(stats.queue_requests));
  queue_tokens_.Set(D(stats.queue_tokens));
}

void PrefillMetrics::Observe(const PrefillHandoff& handoff) {
  outcomes_.at(OutcomeOf(handoff.reason)).Add();
  if (handoff.reason != HandoffReason::kCommitted) return;
  exposed_.Observe(ToSeconds(handoff.times.exposed));
  offer_.Observe(ToSeconds(handoff.times.offer));
  first_write_.Observe(ToSeconds(handoff.times.first_write));
  wire_.Observe(ToSeconds(handoff.times.wire));
  commit_.Observe(ToSeconds(handoff.times.commit));
  handoff_tokens_.Add(handoff.prompt_tokens);
  pages_saved_.Add(handoff.pages_saved);
}

void PrefillMetrics::Observe(const FinishedStep& step) {
  step_seconds_.Observe(ToSeconds(step.time));
  step_tokens_.Observe(step.tokens);
}

void PrefillMetrics::ObserveWire(const std::string& wire, std::uint64_t bytes) {
  if (wire.empty()) return;  // it ended before a session was open
  const std::string known = bytes_.contains(wire) ? wire : "unknown";
  bytes_.at(known).Add(D(bytes));
  wires_.at(known).Set(1);
}

DecodeMetrics::DecodeMetrics(Metrics& metrics)
    : prompt_(metrics, metric::kPromptTokens),
      cached_(metrics, metric::kPromptTokensCached),
      computed_(metrics, metric::kTokensComputed),
      generated_(metrics, metric::kGenerationTokens),
      queries_(metrics, metric::kPrefixCacheQueries),
      hits_(metrics, metric::kPrefixCacheHits),
      sessions_(metrics, metric::kSessions, "end", {}),
      hello_refused_(metrics, metric::kHelloRefused, "field", {"incarnation"}),
      fences_(metrics, metric::kFences, "reason", {}),
      stale_frames_(metrics, metric::kStaleFramesRefused),
      stale_commits_(metrics, metric::kStaleCommits),
      crc_errors_(metrics, metric::kCrcErrors),
      bytes_in_(metrics, metric::kTransferBytes, WireLabels("any", "in")),
      running_(metrics.Gauge(metric::kRequestsRunning)),
      waiting_(metrics.Gauge(metric::kRequestsWaiting)),
      queue_tokens_(metrics.Gauge(metric::kQueueTokens, {{"stage", "decode"}})),
      leases_(metrics.Gauge(metric::kLeases, {{"state", "open"}})),
      hold_(metrics.Histogram(metric::kHandoffHold)),
      admit_(metrics.Histogram(metric::kHandoffAdmit)) {
  for (const char* kind : {"decode", "mixed", "prefill"}) {
    step_seconds_[kind] = metrics.Histogram(metric::kStepSeconds, {{"kind", kind}});
    step_tokens_[kind] = metrics.Histogram(metric::kStepTokens, {{"kind", kind}});
  }
}

void DecodeMetrics::Follow(const DecodeStats& stats, const InboundStats& transfers) {
  prompt_.Follow(D(stats.prompt_tokens));
  cached_.Follow(D(stats.prompt_cached_tokens));
  computed_.Follow(D(stats.computed_tokens));
  generated_.Follow(D(stats.generated_tokens));
  queries_.Follow(D(stats.prompt_tokens));
  hits_.Follow(D(stats.prompt_cached_tokens));
  FollowSessions(transfers.sessions_ended, transfers.hello_refused, sessions_, hello_refused_);
  stale_frames_.Follow(D(transfers.stale_frames_refused));
  stale_commits_.Follow(D(transfers.stale_commits));
  crc_errors_.Follow(D(transfers.crc_errors));
  FollowFences(transfers.fences, fences_);
  bytes_in_.Follow(D(transfers.bytes_landed));
  running_.Set(D(stats.running));
  waiting_.Set(D(stats.waiting));
  queue_tokens_.Set(D(stats.queue_tokens));
  leases_.Set(D(transfers.leases_open));
}

void DecodeMetrics::Observe(const DecodeHandoff& handoff) {
  hold_.Observe(ToSeconds(handoff.held));
  if (handoff.committed) admit_.Observe(ToSeconds(handoff.admit));
}

void DecodeMetrics::Observe(const DecodeStep& step) {
  const char* kind = step.prompt_tokens == 0      ? "decode"
                     : step.decode_sequences == 0 ? "prefill"
                                                  : "mixed";
  step_seconds_.at(kind).Observe(ToSeconds(step.time));
  step_tokens_.at(kind).Observe(step.decode_sequences + step.prompt_tokens);
}

}  // namespace baton
