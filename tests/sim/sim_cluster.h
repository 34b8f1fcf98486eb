// A whole cluster in one thread: production routers, workers and hand-off ends, links between them,
// clients that compare every token with the oracle, and a chaos that breaks what may break.
// Everything follows from one seed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "router/router_core.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_worker.h"

namespace baton {

struct SimOptions {
  std::uint64_t seed = 1;
  int routers = 2;
  int prefill = 3;
  int decode = 3;
  int requests = 40;
  bool faults = true;
  std::uint32_t pages = 48;  // of a worker's pool
};

/// How a run went.
struct SimReport {
  int requests = 0;
  int finished = 0;
  int failed = 0;     // with a typed error
  int cancelled = 0;  // by their client
  int lost = 0;       // with their router
  int tokens = 0;
  int retries = 0;
  int handoffs = 0;
  int faults = 0;
  std::uint64_t events = 0;
  std::uint64_t trace_hash = 0;
  Duration simulated{};
  std::vector<std::string> violations;  // empty: every invariant held
};

class SimCluster {
 public:
  explicit SimCluster(const SimOptions& options);
  ~SimCluster();

  /// Chaos, then heal and demand that everything ends, then demand rest.
  SimReport Run();

 private:
  struct Client;
  struct RouterSlot;
  struct WorkerSlot;
  struct Link;

  void StartRouter(int index);
  void StartWorker(int index);
  void CrashWorker(int index);
  void CrashRouter(int index);
  void PauseWorker(int index);
  void RouterInput(int router, Duration delay, std::function<void(RouterCore&)> input);
  Instant RouterRound(int router);

  void Dial(int worker, int router, Duration delay);
  void BreakLink(LinkId link, Duration router_notices, Duration worker_notices);
  void BreakLinksOf(int router, int worker, Duration router_notices, Duration worker_notices);
  void FromWorker(int worker, LinkId link, link::WorkerMessage message);
  void FromRouter(RouterOutput output);
  Duration LinkDelay(Instant& last);

  void PlanRequests();
  void Submit(int client);
  void PlanChaos();
  void Chaos();
  void CheckEnds();
  void CheckRest();
  void Violation(const std::string& what);
  bool AllEnded() const;

  const SimOptions options_;
  EventQueue events_;
  SimRandom random_;
  SimNetwork network_;
  SimReport report_;
  bool chaos_ = false;
  std::vector<std::unique_ptr<KvArena>> arenas_;  // of crashed workers too
  std::vector<std::unique_ptr<RouterSlot>> routers_;
  std::vector<std::unique_ptr<WorkerSlot>> workers_;
  std::map<LinkId, Link> links_;
  std::uint32_t next_link_ = 1;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace baton
