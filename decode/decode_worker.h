// A decode worker without its threads: lends pages to hand-offs, runs every committed sequence in
// one continuous batch, and streams tokens. A job without a prefill worker runs its prompt here,
// mixed into the batch. Messages, transfer events and time go in; messages and transfer commands
// come out.
//
//   job -> expected -> offered (cached prefix shared, pages promised) -> granted -> committed
//     |                                                                               |
//     +-> waiting (no prefill worker) -> admitted, prompt in chunks ----------------> running ->
//     over
//
// Never blocks and reads no clock. Every job is answered once: by tokens up to a finish, or by
// JobFailed; a job that its router cancelled, or whose link is lost, by nothing.
//
// Thread: the engine thread.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "base/ids.h"
#include "base/time.h"
#include "decode/decode_options.h"
#include "engine/executor.h"
#include "kvcache/kv_arena.h"
#include "kvcache/page_ledger.h"
#include "kvtransfer/inbound_messages.h"
#include "proto/link.pb.h"
#include "proto/worker_output.h"

namespace baton {

/// A hand-off that ended here, for the role's metrics and its log.
struct DecodeHandoff {
  AttemptId id;
  bool committed = false;
  HandoffReason reason{};  // when not committed
  Duration held{};         // first Grant -> its pages may move
  Duration admit{};        // commit -> first step launched; 0 when not committed
};

/// A finished step, for the role's metrics.
struct DecodeStep {
  Duration time{};
  int decode_sequences = 0;
  int prompt_tokens = 0;  // of chunks of local prompts
};

class DecodeWorker {
 public:
  /// `facts` is this worker's Register, sent first on every link; its pages, page_tokens,
  /// key_namespace and model bind the worker. `arena` and `executor` outlive it.
  DecodeWorker(link::Register facts, KvArena& arena, Executor& executor, DecodeOptions options);
  ~DecodeWorker();
  DecodeWorker(const DecodeWorker&) = delete;
  DecodeWorker& operator=(const DecodeWorker&) = delete;

  void OnLinkUp(LinkId link, Instant now);
  /// Ends the link's jobs; nobody is told.
  void OnLinkLost(LinkId link, Instant now);
  void OnMessage(LinkId link, const link::RouterMessage& message, Instant now);
  void OnTransfer(const InboundEvent& event, Instant now);

  /// One bounded round: collects, reclaims, admits, plans, launches, states load. Call it after
  /// every batch of inputs, when the executor rings, and at the instant it returned (kNever: only
  /// then).
  Instant Tick(Instant now);

  /// Since the last call, in order.
  std::vector<WorkerOutput> TakeLinkMessages();
  std::vector<InboundCommand> TakeTransferCommands();
  std::vector<DecodeHandoff> TakeHandoffs();
  std::vector<DecodeStep> TakeSteps();

  /// New jobs are refused as retryable; those accepted are finished.
  void StartDrain(Instant now);
  /// A drain was started, and no job lives and no page is lent.
  bool drained() const;

  /// Not OK once the device is lost: every job has been failed; the process must end.
  const absl::Status& status() const;

  DecodeStats stats() const;
  PageLedger ledger() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace baton
