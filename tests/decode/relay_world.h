// One prefill and one decode worker with both ends of the hand-off between them, over a loopback
// fabric, in one thread and virtual time: all of a relay but its threads, router and wire.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "decode/decode_worker.h"
#include "kvtransfer/inbound_transfers.h"
#include "kvtransfer/loopback_transport.h"
#include "kvtransfer/outbound_transfers.h"
#include "prefill/prefill_worker.h"
#include "tests/testing/fake_executor.h"
#include "tests/testing/worker_messages.h"

namespace baton {

inline constexpr LinkId kRelayLink{1};

struct RelayOptions {
  int page_tokens = 8;
  std::uint32_t pages = 128;
  PrefillOptions prefill{.step_tokens_max = 32};
  DecodeOptions decode{.step_tokens_max = 64, .promised_fraction_max = 1.0};
};

class RelayWorld {
 public:
  explicit RelayWorld(const RelayOptions& options = {});

  /// Both jobs of a request, as a router dispatches them.
  void Dispatch(const FakeRequest& request);
  /// A job that decode runs by itself.
  void DispatchLocal(const FakeRequest& request);
  void Cancel(std::uint64_t id);

  /// Rounds of all threads, time standing still, until nothing more happens.
  void Settle();
  /// Settles, then moves time to the next event. False when only heartbeats are due.
  bool Advance();
  /// Until only heartbeats are due.
  void Run();

  /// What a router would have streamed: tokens by index, whoever told them.
  std::vector<TokenId> Answer(std::uint64_t id) const;
  std::vector<link::JobFailed> Failures(std::uint64_t id) const { return FailuresOf(said, id); }

  Instant now{std::chrono::hours(1)};
  std::unique_ptr<KvArena> prefill_arena;
  std::unique_ptr<KvArena> decode_arena;
  link::Register prefill_facts;
  link::Register decode_facts;
  LoopbackFabric fabric;
  std::unique_ptr<LoopbackTransport> prefill_transport;
  std::unique_ptr<LoopbackTransport> decode_transport;
  std::unique_ptr<OutboundTransfers> outbound;
  std::unique_ptr<InboundTransfers> inbound;
  std::unique_ptr<FakeExecutor> prefill_executor;
  std::unique_ptr<FakeExecutor> decode_executor;
  std::unique_ptr<PrefillWorker> prefill;
  std::unique_ptr<DecodeWorker> decode;
  std::vector<WorkerOutput> said;

 private:
  /// One round of every thread. False when nothing moved.
  bool Round();
  bool PrefillRound();
  bool DecodeRound();

  Instant due_ = kNever;
};

}  // namespace baton
