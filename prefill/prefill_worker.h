// A prefill worker without its threads: takes prompts from routers, runs them in chunks, and has
// the transfer side carry their pages to decode. Messages, transfer events and time go in; messages
// and transfer commands come out.
//
//   job -> waiting -> begun (pages leased, offered) -> computed (first token told) -> settled
//            |           |                               |
//            +-----------+-------- cancel, deadline, lost link, lost peer: no token more; pages
//            stay
//                                  leased until the step in flight and the hand-off are done
//
// Never blocks and reads no clock. Every job is answered once: by the first token and a
// HandoffReport, or by JobFailed; a job that its router cancelled, or whose link is lost, by
// nothing.
//
// Thread: the engine thread. LayerDone goes from the executor's thread to the transfer side
// directly, not through here.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/ids.h"
#include "base/time.h"
#include "engine/executor.h"
#include "kvcache/kv_arena.h"
#include "kvcache/page_ledger.h"
#include "kvtransfer/outbound_messages.h"
#include "prefill/prefill_options.h"
#include "proto/link.pb.h"
#include "proto/worker_output.h"

namespace baton {

/// What a job's hand-off took, for the role's metrics and its log.
struct PrefillHandoff {
  AttemptId id;
  HandoffReason reason{};
  std::string message;  // what differs, when refused; no address, no content
  HandoffTimes times;
  std::uint64_t bytes = 0;
  std::uint32_t pages_sent = 0;
  std::uint32_t pages_saved = 0;
  std::uint32_t prompt_tokens = 0;
};

/// A finished step, for the role's metrics.
struct FinishedStep {
  Duration time{};
  int tokens = 0;
  int sequences = 0;
};

class PrefillWorker {
 public:
  /// `facts` is this worker's Register, sent first on every link; its pages, page_tokens,
  /// key_namespace and model bind the worker. `arena` and `executor` outlive it.
  PrefillWorker(link::Register facts, KvArena& arena, Executor& executor, PrefillOptions options);
  ~PrefillWorker();
  PrefillWorker(const PrefillWorker&) = delete;
  PrefillWorker& operator=(const PrefillWorker&) = delete;

  void OnLinkUp(LinkId link, Instant now);
  /// Ends the link's jobs; nobody is told.
  void OnLinkLost(LinkId link, Instant now);
  void OnMessage(LinkId link, const link::RouterMessage& message, Instant now);
  void OnTransfer(const OutboundEvent& event, Instant now);

  /// One bounded round: launches the step that the round before planned, collects, reclaims, plans,
  /// states load. Call it after every batch of inputs, when the executor rings, and at the instant
  /// it returned (kNever: only then).
  ///
  /// Between two rounds hand the transfer side what TakeTransferCommands() returns: it must know of
  /// a step before the step's first LayerDone, which is why a step waits one round.
  Instant Tick(Instant now);

  /// Since the last call, in order.
  std::vector<WorkerOutput> TakeLinkMessages();
  std::vector<OutboundCommand> TakeTransferCommands();
  std::vector<PrefillHandoff> TakeHandoffs();
  std::vector<FinishedStep> TakeSteps();

  /// New jobs and those that wait go back to their routers as retryable; those begun are finished.
  void StartDrain(Instant now);
  /// A drain was started, and no job lives and no page is lent.
  bool drained() const;

  /// Not OK once the device is lost: every job has been failed; the process must end.
  const absl::Status& status() const;

  PrefillStats stats() const;
  PageLedger ledger() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace baton
