// The prefill end of all hand-offs of one worker: its sessions with decode workers, one sender
// machine a hand-off, and the posting of pages, over one Transport.
//
// Commands in, events out, Tick in between: nothing blocks, nothing reads a clock.
//
// Thread: confined to the transfer thread; commands and events cross in bounded queues of the
// shell. Reads the pages of `arena` named by Start until it says Settled.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"
#include "kvcache/kv_arena.h"
#include "kvtransfer/handoff_types.h"
#include "kvtransfer/outbound_messages.h"
#include "kvtransfer/session_counts.h"
#include "kvtransfer/transport.h"

namespace baton {

/// Counts since the start; names as in base/metric_names.h.
struct OutboundStats {
  std::uint64_t bytes_posted = 0;  // baton_transfer_bytes_total{direction=out}
  std::uint64_t writes_open = 0;
  std::uint64_t handoffs_live = 0;  // not settled
  std::uint64_t sessions_open = 0;
  std::uint64_t window_bytes = 0;  // of all open sessions: baton_transfer_window_bytes
  SessionEnds sessions_ended;      // baton_sessions_total
  RefusedFields hello_refused;     // baton_hello_refused_total
  std::uint64_t bad_messages = 0;  // undecodable, or of no session of ours
  std::uint64_t late_grants = 0;   // of a hand-off that was over
};

class OutboundTransfers {
 public:
  /// `arena` and `transport` outlive this; `transport` is used by nobody else. `seed` spreads
  /// reconnects and numbers the handshakes.
  OutboundTransfers(LocalWorker self, const KvArena& arena, Transport& transport,
                    std::uint64_t seed, TransferLimits limits = {});
  ~OutboundTransfers();

  /// Takes a command; its effects may wait for the next Tick.
  void On(const OutboundCommand& command, Instant now);

  /// One bounded round: polls the transport, answers, posts what windows allow, runs timers.
  /// Returns when to call again at the latest, if nothing arrives (kNever: only then).
  Instant Tick(Instant now);

  /// What happened since the last call, in order.
  std::vector<OutboundEvent> TakeEvents();

  /// Every hand-off is settled: a draining worker may leave.
  bool settled() const;

  OutboundStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton
