// One worker of the simulated cluster: the production worker, hand-off end and pages, with an
// engine and a transfer thread that are rounds in virtual time and the queues between them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "decode/decode_worker.h"
#include "kvtransfer/inbound_transfers.h"
#include "kvtransfer/outbound_transfers.h"
#include "prefill/prefill_worker.h"
#include "tests/sim/hash_model.h"
#include "tests/sim/sim_client.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_process.h"

namespace baton {

struct SimWorkerOptions {
  std::string name;
  link::Role role{};
  Incarnation incarnation{};
  std::uint64_t seed = 0;
  int step_tokens_max = 32;
  Duration step_fixed = Milliseconds(1);
  Duration per_token = std::chrono::microseconds(20);
  SimClock clock;
  Duration stall = TransferLimits{}.stall;
};

/// What one worker counted over its life, for the sums of a run.
struct SimWorkerCounts {
  InboundStats inbound;
  std::map<std::string, int> handoff_ends;  // by reason
};

/// What the worker says to a router, and what is wrong with it.
struct SimWorkerHooks {
  std::function<void(LinkId, link::WorkerMessage)> send;
  SimViolation violation;
};

class SimWorker {
 public:
  virtual ~SimWorker() = default;
  virtual void OnLinkUp(LinkId link) = 0;
  virtual void OnLinkLost(LinkId link) = 0;
  virtual void OnMessage(LinkId link, link::RouterMessage message) = 0;
  virtual void Pause(Instant until) = 0;
  virtual void LosePeersTo(const std::string& address) = 0;
  virtual void Drain() = 0;
  /// No step is computed any more, and the worker hears an error.
  virtual void LoseDevice() = 0;
  /// No step ends until `until`, though everything else goes on.
  virtual void HangDevice(Instant until) = 0;
  virtual void SlowDevice(int times) = 0;

  virtual SimWorkerCounts counts() const = 0;

  /// "" when nothing is lent, live or open, else what is.
  virtual std::string Unrest() const = 0;
};

/// `arena` outlives the simulation: a late frame may still read the pages of a crashed worker.
std::unique_ptr<SimWorker> MakeSimWorker(SimNetwork& network, KvArena& arena,
                                         const SimWorkerOptions& options, SimWorkerHooks hooks);

}  // namespace baton
