// A whole cluster in one thread: production routers, workers and hand-off ends, links between them,
// clients that compare every token with the oracle, and a chaos that breaks what may break.
// Everything follows from one seed. docs/simulation.md says what is simulated and what is checked.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "router/router_core.h"
#include "tests/sim/sim_client.h"
#include "tests/sim/sim_faults.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_worker.h"

namespace baton {

inline constexpr int kBlowsMax = 12;  // of one run
inline constexpr std::uint64_t kAllBlows = (1U << kBlowsMax) - 1;

struct SimOptions {
  std::uint64_t seed = 1;
  int routers = 2;
  int prefill = 3;
  int decode = 3;
  int requests = 40;
  bool faults = true;
  bool wire = true;   // false: nothing that is posted between workers arrives, from first to last
  bool puts = false;  // one-sided puts in place of checked frames: must corrupt

  // A smaller case of the same seed, for a shrinker.
  std::uint64_t without = 0;        // kinds of Fault that never strike, a bit each
  std::uint64_t blows = kAllBlows;  // which of the drawn blows fall, a bit each
  std::uint64_t until = 0;          // stop after this event; 0 = at the end
};

/// How a run went.
struct SimReport {
  int requests = 0;  // the probes of the healed cluster not included
  int finished = 0;
  int cancelled = 0;                  // by their client
  int lost = 0;                       // with their router
  std::map<std::string, int> failed;  // by code
  int tokens = 0;
  std::map<std::string, int> retries;  // by reason
  int handoffs = 0;
  int blows = 0;
  std::map<std::string, int> faults;        // struck, by kind; those that never did included
  std::map<std::string, int> handoff_ends;  // at both ends, by reason
  InboundStats inbound;                     // sums over all lives of all decode workers
  std::uint64_t events = 0;
  std::uint64_t trace_hash = 0;
  Duration simulated{};
  std::vector<std::string> violations;  // empty: every invariant held
  std::vector<std::string> last;        // what was traced before the end, oldest first
};

class SimCluster {
 public:
  explicit SimCluster(const SimOptions& options);
  ~SimCluster();

  /// Chaos; then heal, demand that everything ends and that the healed cluster serves; then demand
  /// rest.
  SimReport Run();

 private:
  struct RouterSlot {
    std::unique_ptr<SimProcess> process;
    std::unique_ptr<SimRounds> rounds;
    std::unique_ptr<RouterCore> core;
  };
  struct WorkerSlot {
    std::string name;
    link::Role role{};
    std::unique_ptr<SimWorker> worker;  // null while it is down
    int life = 0;                       // counts its starts
  };
  struct Link {
    int router = 0;
    int worker = 0;
    int life = 0;               // of the worker
    bool up_at_router = false;  // it heard Register
    bool broken = false;
    Instant last_to_router{};
    Instant last_to_worker{};
    std::optional<link::WorkerMessage> held_events;  // to follow the next message
    std::set<std::uint64_t> stated;                  // keys, as the worker's events tell
    bool tail_lost = false;                          // nothing has come since events were lost
  };
  /// What differs between seeds, beside the faults.
  struct Scene {
    std::uint32_t pages = 0;  // of a worker's pool
    Duration arrivals{};      // all requests come within
    RoutePolicy policy{};
    int speed = 1;       // steps take so many times longer
    bool heads = false;  // pages of keys and values instead of latents
    Duration stall{};    // of both ends of a hand-off
    int queue_max = 0;   // of a router; 0 = ample
    bool clocks_wrong = false;
    int joins_late = -1;  // a worker
  };

  // sim_cluster.cc: the processes
  Scene DrawScene();
  void StartRouter(int index);
  void StartWorker(int index);
  void CrashWorker(int index);
  void EndWorker(int index, Fault fault);
  void CrashRouter(int index);
  void PauseWorker(int index);
  void TroubleDevice(int index, Fault fault);
  SimClock DrawClock();
  Instant RouterNow(int index) const {
    return routers_[static_cast<std::size_t>(index)]->process->now();
  }
  void RouterInput(int router, Duration delay, std::function<void(RouterCore&)> input);
  Instant RouterRound(int router);
  void CountRetries(const RouterCore& core);

  // sim_links.cc: the streams between them
  void Dial(int worker, int router, Duration delay);
  void BreakLink(LinkId link, Duration router_notices, Duration worker_notices);
  void BreakLinksOf(int router, int worker, Duration router_notices, Duration worker_notices);
  void FromWorker(LinkId link, link::WorkerMessage message);
  void DisturbEvents(LinkId id, Link& link, link::WorkerMessage message);
  void ToRouter(LinkId id, Link& link, link::WorkerMessage message);
  void FromRouter(RouterOutput output);
  SimWorker* WorkerAt(const Link& link) const;  // null when that life of it is over
  Duration LinkDelay(Instant& last);

  // sim_chaos.cc: what breaks
  void PlanChaos();
  void DrawRates();
  void Chaos();
  void CutWire(Fault fault);
  void BreakOneLink(int router, int worker);
  void BreakAllLinks(int worker);
  void Fell(Fault fault, int where);

  // sim_run.cc: clients, and what must hold
  void PlanRequests();
  void PlanProbes();
  void Plan(std::unique_ptr<SimClient> client, Duration delay);
  void Submit(SimClient& client);
  void RunUntil(Instant end);
  void RunUntilEnded(Instant end);
  bool AllEnded() const;
  bool Stops() const;
  void CheckEnds();
  void CheckRest();
  void CheckIndex(int router, const RouterStats& stats);
  void PlanTenantProbe();
  void CountClients();
  void CountWorker(const SimWorker& worker);

  const SimOptions options_;
  EventQueue events_;
  SimRandom random_;
  FaultBook book_;
  SimNetwork network_;
  const Scene scene_;
  SimReport report_;
  const SimViolation violation_;
  bool chaos_ = false;
  double link_stall_ = 0;  // of messages between router and worker: late, and all behind them
  double events_lost_ = 0;
  double events_repeated_ = 0;
  double events_swapped_ = 0;
  std::vector<std::unique_ptr<KvArena>> arenas_;  // of crashed workers too
  std::vector<std::unique_ptr<SimClient>> clients_;
  std::vector<std::unique_ptr<RouterSlot>> routers_;
  std::vector<std::unique_ptr<WorkerSlot>> workers_;
  std::map<LinkId, Link> links_;
  std::uint32_t next_link_ = 1;
};

}  // namespace baton
