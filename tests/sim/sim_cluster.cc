#include "tests/sim/sim_cluster.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "tests/sim/hash_model.h"
#include "tests/sim/sim_report.h"

namespace baton {
namespace {

constexpr int kPageTokens = 8;
constexpr int kPagesMin = 16;  // the longest request just fits
constexpr int kPagesMax = 48;
constexpr Duration kKeepalive = Milliseconds(2100);  // a silent stream is dead after that
constexpr Duration kSkewMax = std::chrono::seconds(60);
constexpr int kDriftMax = 200;  // ppm

}  // namespace

SimCluster::SimCluster(const SimOptions& options)
    : options_(options),
      random_(options.seed),
      book_(options.without),
      network_(events_, random_, book_, options.puts),
      scene_(DrawScene()),
      violation_([this](const std::string& what) {
        report_.violations.push_back(
            absl::StrFormat("event %d at %.6f s: %s", events_.events(),
                            ToSeconds(events_.now().time_since_epoch()) - 3600, what));
      }) {
  network_.SetFrameBytesBest(HashLayout(kPageTokens, scene_.heads).LayerBytes());
  for (int i = 0; i < options.routers; ++i) {
    routers_.push_back(std::make_unique<RouterSlot>());
    StartRouter(i);
  }
  for (int i = 0; i < options.prefill + options.decode; ++i) {
    const bool prefill = i < options.prefill;
    workers_.push_back(std::make_unique<WorkerSlot>());
    workers_.back()->name =
        absl::StrFormat("%s-%d", prefill ? "prefill" : "decode", prefill ? i : i - options.prefill);
    workers_.back()->role = prefill ? link::ROLE_PREFILL : link::ROLE_DECODE;
    if (i != scene_.joins_late) {
      StartWorker(i);
      continue;
    }
    book_.Count(Fault::kJoin);
    events_.After(random_.DurationBetween(Milliseconds(100), Milliseconds(4000)),
                  [this, i] { StartWorker(i); });
  }
}

SimCluster::~SimCluster() = default;

SimCluster::Scene SimCluster::DrawScene() {
  constexpr Duration kArrivals[] = {Milliseconds(100), Milliseconds(600), Milliseconds(2000),
                                    Milliseconds(5000)};
  constexpr RoutePolicy kPolicies[] = {RoutePolicy::kPredictedTtft, RoutePolicy::kPredictedTtft,
                                       RoutePolicy::kRoundRobin, RoutePolicy::kRandom};
  Scene scene;
  scene.pages = static_cast<std::uint32_t>(random_.Between(kPagesMin, kPagesMax));
  scene.arrivals = kArrivals[random_.Below(4)];
  scene.policy = kPolicies[random_.Below(4)];
  scene.heads = options_.seed % 2 == 0;
  scene.speed = random_.Chance(0.5) ? 1 : random_.Between(2, 10);
  scene.stall = random_.Chance(0.5) ? TransferLimits{}.stall : Milliseconds(2000);
  const bool tight = random_.Chance(0.2);
  const bool wrong = random_.Chance(0.5);
  const bool late = random_.Chance(0.3);
  const int joins = static_cast<int>(
      random_.Below(static_cast<std::uint64_t>(options_.prefill + options_.decode)));
  if (!options_.faults) return scene;
  if (tight && book_.Allows(Fault::kQueueFull)) scene.queue_max = 3;
  scene.clocks_wrong = wrong && book_.Allows(Fault::kClock);
  if (late && book_.Allows(Fault::kJoin)) scene.joins_late = joins;
  return scene;
}

// --- routers

void SimCluster::StartRouter(int index) {
  RouterSlot& slot = *routers_[static_cast<std::size_t>(index)];
  RouterOptions options;
  options.policy = scene_.policy;
  options.seed = random_.Next();
  options.incarnation = random_.Next() | 1;
  options.introduction_secret = std::string(32, 's');
  options.backoff = Milliseconds(20);
  if (scene_.queue_max > 0) options.queue_requests_max = scene_.queue_max;
  slot.core = std::make_unique<RouterCore>(options);
  slot.process = std::make_unique<SimProcess>(events_, random_, DrawClock());
  slot.rounds = std::make_unique<SimRounds>(*slot.process, events_,
                                            [this, index] { return RouterRound(index); });
  slot.rounds->Wake(Duration::zero());
}

Instant SimCluster::RouterRound(int router) {
  RouterCore& core = *routers_[static_cast<std::size_t>(router)]->core;
  const Instant due = core.Tick(RouterNow(router));
  for (RouterOutput& output : core.TakeOutputs()) FromRouter(std::move(output));
  core.TakeNotes();
  return due;
}

void SimCluster::RouterInput(int router, Duration delay, std::function<void(RouterCore&)> input) {
  RouterSlot& slot = *routers_[static_cast<std::size_t>(router)];
  slot.process->Do(delay, [&slot, input = std::move(input)] {
    input(*slot.core);
    slot.rounds->Wake(Duration::zero());
  });
}

void SimCluster::CountRetries(const RouterCore& core) {
  for (const auto& [reason, count] : core.Stats(events_.now()).retries) {
    report_.retries[reason] += static_cast<int>(count);
  }
}

/// A node's clock: right, or off by up to a minute and up to 200 ppm.
SimClock SimCluster::DrawClock() {
  const Duration skew = random_.DurationBetween(-kSkewMax, kSkewMax);
  const int ppm = random_.Between(-kDriftMax, kDriftMax);
  if (!scene_.clocks_wrong) return {};
  book_.Count(Fault::kClock);
  return {events_.now(), skew, ppm};
}

void SimCluster::CrashRouter(int index) {
  Fell(Fault::kRouterCrash, index);
  RouterSlot& slot = *routers_[static_cast<std::size_t>(index)];
  CountRetries(*slot.core);
  for (auto& client : clients_) {
    // Those not yet submitted will meet the next life of this router.
    client->lost |= client->router == index && client->submitted && client->ends == 0;
  }
  slot.rounds.reset();
  slot.process.reset();
  slot.core.reset();
  for (int worker = 0; worker < static_cast<int>(workers_.size()); ++worker) {
    BreakLinksOf(index, worker, Duration::zero(),
                 random_.DurationBetween(Duration::zero(), Milliseconds(20)));
  }
  StartRouter(index);
}

// --- workers

void SimCluster::StartWorker(int index) {
  WorkerSlot& slot = *workers_[static_cast<std::size_t>(index)];
  auto arena = KvArena::Create(HashLayout(kPageTokens, scene_.heads), scene_.pages);
  BATON_CHECK(arena.ok());
  arenas_.push_back(*std::move(arena));
  SimWorkerOptions options;
  options.name = slot.name;
  options.role = slot.role;
  options.incarnation = Incarnation{random_.Next() | 1};
  options.seed = random_.Next() | 1;
  options.step_tokens_max = 8 * random_.Between(1, 6);
  options.step_fixed = Milliseconds(scene_.speed);
  options.per_token = std::chrono::microseconds(random_.Between(5, 200));
  options.clock = DrawClock();
  options.stall = scene_.stall;
  ++slot.life;
  slot.worker = MakeSimWorker(
      network_, *arenas_.back(), options,
      {[this](LinkId link, link::WorkerMessage message) { FromWorker(link, std::move(message)); },
       violation_});
  for (int router = 0; router < options_.routers; ++router) {
    Dial(index, router, random_.DurationBetween(Duration::zero(), Milliseconds(5)));
  }
}

void SimCluster::CrashWorker(int index) {
  WorkerSlot& slot = *workers_[static_cast<std::size_t>(index)];
  if (slot.worker == nullptr) return;
  Fell(Fault::kWorkerCrash, index);
  CountWorker(*slot.worker);
  slot.worker.reset();
  const bool resets = random_.Chance(0.7);  // else only silence says that it is gone
  const Duration notice =
      random_.DurationBetween(Duration::zero(), resets ? Milliseconds(50) : kKeepalive);
  for (int router = 0; router < options_.routers; ++router) {
    BreakLinksOf(router, index, notice, Duration::zero());
  }
  if (resets) {
    events_.After(notice, [this, name = slot.name] {
      for (auto& other : workers_) {
        if (other->worker != nullptr) other->worker->LosePeersTo(name);
      }
    });
  }
  const int back = random_.Chance(0.5) ? 30 : 2000;
  events_.After(random_.DurationBetween(Milliseconds(1), Milliseconds(back)), [this, index] {
    if (workers_[static_cast<std::size_t>(index)]->worker == nullptr) StartWorker(index);
  });
}

/// It drains or loses its device, and is gone soon.
void SimCluster::EndWorker(int index, Fault fault) {
  WorkerSlot& slot = *workers_[static_cast<std::size_t>(index)];
  if (slot.worker == nullptr) return;
  const bool drains = fault == Fault::kDrain;
  Fell(fault, index);
  drains ? slot.worker->Drain() : slot.worker->LoseDevice();
  events_.After(random_.DurationBetween(Milliseconds(1), Milliseconds(drains ? 2000 : 50)),
                [this, index] { CrashWorker(index); });
}

void SimCluster::PauseWorker(int index) {
  WorkerSlot& slot = *workers_[static_cast<std::size_t>(index)];
  if (slot.worker == nullptr) return;
  const Duration pause = random_.DurationBetween(Milliseconds(10), Milliseconds(10'000));
  Fell(Fault::kPause, index);
  slot.worker->Pause(events_.now() + pause);
  if (pause < kKeepalive) return;
  for (int router = 0; router < options_.routers; ++router) {
    BreakLinksOf(router, index, kKeepalive, kKeepalive);
  }
}

/// It hangs for a while, or is slow until its worker restarts.
void SimCluster::TroubleDevice(int index, Fault fault) {
  WorkerSlot& slot = *workers_[static_cast<std::size_t>(index)];
  if (slot.worker == nullptr) return;
  Fell(fault, index);
  if (fault == Fault::kDeviceSlow) return slot.worker->SlowDevice(10);
  slot.worker->HangDevice(events_.now() +
                          random_.DurationBetween(Milliseconds(10), Milliseconds(10'000)));
}

/// What it counted, before it is gone or at the end.
void SimCluster::CountWorker(const SimWorker& worker) {
  const SimWorkerCounts counts = worker.counts();
  for (const auto& [reason, count] : counts.handoff_ends) report_.handoff_ends[reason] += count;
  AddInbound(counts.inbound, report_.inbound);
}

}  // namespace baton
