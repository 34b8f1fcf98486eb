// The columns that a decision scans: what is known of every worker as floats, by its slot in the
// index, kept up to date by whoever hears of a worker.
//
// Times are seconds since a base that moves along, so that floats stay exact to microseconds.
//
// Thread: one, the planner's.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "router/fleet_loops.h"
#include "router/route.h"
#include "router/slot_groups.h"

namespace baton {

/// One worker's row, as its owner states it.
struct RouteRow {
  LinkId link{};
  std::uint32_t domain = 0;
  bool decode = false;
  Instant ready_until = Instant::min();  // a candidate until then; the least: not at all
  Instant busy_until{};                  // with the prompts that it waits for or runs
  StepCost cost;
  double pool_pages = 0;
  double room_pages = 0;
  double requests = 0;  // that wait or run
  double running_sequences = 0;
  double running_tokens = 0;
  double stored_tokens = 0;  // newly stored of late, at `stored_at`
  Instant stored_at{};
};

class RouteTable {
 public:
  void Set(Slot slot, const RouteRow& row, Instant now);
  void Clear(Slot slot);
  /// Heard of: a candidate until `ready_until`.
  void SetReadyUntil(Slot slot, Instant ready_until, Instant now);

  const RouteRow& At(Slot slot) const { return rows_[slot]; }
  std::size_t size() const { return rows_.size(); }

  /// Moves the base when `now` is far from it. Call it before a scan.
  void Rebase(Instant now);
  float Relative(Instant time) const;
  FleetColumns columns() const;

  /// What the route weighs of this worker for a prompt of which it holds `held_tokens`.
  PrefillOption PrefillAt(Slot slot, int held_tokens, Instant now) const;
  DecodeOption DecodeAt(Slot slot, int held_tokens, Instant now) const;

 private:
  enum Column {
    kReadyUntil,
    kBusyUntil,
    kFixed,
    kPerToken,
    kPerPair,
    kPerSequence,
    kPoolPages,
    kRoomPages,
    kItl,
    kRunning,
    kCrowd,
    kBias,
    kColumns,
  };

  void Resize(std::size_t slots);
  void Write(Slot slot);

  std::array<std::vector<float>, kColumns> columns_;
  std::vector<RouteRow> rows_;
  Instant base_{};
};

/// Seconds of prompts that wait or run there.
double QueueSeconds(const RouteRow& row, Instant now);

/// Newly stored tokens, decaying over ten minutes.
double StoredTokens(double tokens, Instant at, Instant now);

}  // namespace baton
