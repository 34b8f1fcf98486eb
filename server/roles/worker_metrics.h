// The series of both worker roles: pages, leases, steps, hand-offs, tokens. Counters follow the
// workers' plain numbers at each scrape; histograms are told each event by the engine thread.
#pragma once

#include "base/metrics.h"
#include "decode/decode_worker.h"
#include "kvtransfer/inbound_transfers.h"
#include "kvtransfer/outbound_transfers.h"
#include "prefill/prefill_worker.h"
#include "server/roles/metric_mirror.h"

namespace baton {

/// What both roles show. Thread: a scrape's.
class PoolMetrics {
 public:
  PoolMetrics(Metrics& metrics, const KvLayout& layout, std::uint32_t pages);
  void Follow(const PageLedger& ledger);

 private:
  MetricGauge free_, owned_, inbound_, quarantined_, lost_, promised_, imbalance_, usage_;
};

class PrefillMetrics {
 public:
  explicit PrefillMetrics(Metrics& metrics);

  /// Thread: a scrape's.
  void Follow(const PrefillStats& stats, const OutboundStats& transfers);

  /// Thread: the engine's.
  void Observe(const PrefillHandoff& handoff);
  void Observe(const FinishedStep& step);

  /// Thread: the transfer's.
  void ObserveWire(const std::string& wire, std::uint64_t bytes);

 private:
  MirroredCounter prompt_, cached_, computed_, generated_, queries_, hits_;
  MirroredFamily sessions_, hello_refused_;
  MetricGauge running_, waiting_, queue_requests_, queue_tokens_, window_;
  MetricHistogram exposed_, offer_, first_write_, wire_, commit_, step_seconds_, step_tokens_;
  std::map<std::string, MetricCounter> outcomes_, bytes_;
  std::map<std::string, MetricGauge> wires_;  // 1 once that wire has carried a hand-off
  MetricCounter handoff_tokens_, pages_saved_;
};

class DecodeMetrics {
 public:
  explicit DecodeMetrics(Metrics& metrics);

  /// Thread: a scrape's.
  void Follow(const DecodeStats& stats, const InboundStats& transfers);

  /// Thread: the engine's.
  void Observe(const DecodeHandoff& handoff);
  void Observe(const DecodeStep& step);

 private:
  MirroredCounter prompt_, cached_, computed_, generated_, queries_, hits_;
  MirroredFamily sessions_, hello_refused_, fences_;
  MirroredCounter stale_frames_, stale_commits_, crc_errors_, bytes_in_;
  MetricGauge running_, waiting_, queue_tokens_, leases_;
  MetricHistogram hold_, admit_;
  std::map<std::string, MetricHistogram> step_seconds_, step_tokens_;
};

}  // namespace baton
