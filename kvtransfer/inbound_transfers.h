// The decode end of all hand-offs of one worker: its sessions with prefill workers, one receiver
// machine a hand-off, and the lease table that decides which byte may land, over one Transport.
//
// Thread: confined to the transfer thread. Bytes land in pages of `arena` only inside Tick, and
// only in pages lent by a Grant whose LeaseClosed has not been emitted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.h"
#include "kvcache/kv_arena.h"
#include "kvtransfer/handoff_types.h"
#include "kvtransfer/inbound_messages.h"
#include "kvtransfer/session_counts.h"
#include "kvtransfer/transport.h"

namespace baton {

/// Counts since the start; names as in base/metric_names.h.
struct InboundStats {
  std::uint64_t bytes_landed = 0;          // baton_transfer_bytes_total{direction=in}
  std::uint64_t stale_frames_refused = 0;  // baton_stale_frames_refused_total
  std::uint64_t wild_frames_refused = 0;   // no such session, ordinal, piece or size
  std::uint64_t duplicate_frames = 0;
  std::uint64_t crc_errors = 0;     // baton_crc_errors_total
  std::uint64_t stale_commits = 0;  // baton_stale_commits_total
  std::uint64_t leases_open = 0;    // baton_leases{state=open}
  std::uint64_t handoffs_live = 0;  // expected or offered, not over
  std::uint64_t sessions_open = 0;
  std::array<std::uint64_t, kHandoffReasons> fences{};  // leases closed uncommitted, by reason
  SessionEnds sessions_ended;                           // baton_sessions_total
  RefusedFields hello_refused;                          // baton_hello_refused_total
  std::uint64_t bad_messages = 0;                       // undecodable, or of no session of ours
};

class InboundTransfers {
 public:
  /// `arena` and `transport` outlive this; `transport` is used by nobody else. Session numbers are
  /// drawn from `secret`, which nobody else may know.
  InboundTransfers(LocalWorker self, const KvArena& arena, Transport& transport,
                   std::uint64_t secret, TransferLimits limits = {});
  ~InboundTransfers();

  /// Takes a command; its effects may wait for the next Tick.
  void On(const InboundCommand& command, Instant now);

  /// One bounded round: polls the transport (frames land here), answers, runs timers.
  /// Returns when to call again at the latest, if nothing arrives (kNever: only then).
  Instant Tick(Instant now);

  /// What happened since the last call, in order.
  std::vector<InboundEvent> TakeEvents();

  /// No hand-off lives: a draining worker may leave.
  bool settled() const;

  InboundStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace baton
