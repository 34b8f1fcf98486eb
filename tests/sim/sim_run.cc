// One run: clients come while things break, then everything heals and the invariants of the end are
// asked for.
#include <utility>

#include "absl/strings/str_format.h"
#include "tests/sim/hash_model.h"
#include "tests/sim/sim_cluster.h"

namespace baton {
namespace {

constexpr Duration kChaosTime = std::chrono::seconds(6);
constexpr Duration kHealTime = std::chrono::seconds(60);   // then everything has ended
constexpr Duration kHealed = std::chrono::seconds(22);     // pauses, cuts and late frames are over
constexpr Duration kProbeTime = std::chrono::seconds(30);  // then every probe has ended
constexpr Duration kRestTime = std::chrono::seconds(30);   // leases, holds and back-offs run out
constexpr int kProbes = 6;
constexpr std::size_t kViolationsMax = 20;
constexpr double kHurried = 0.05;  // of the clients

}  // namespace

SimReport SimCluster::Run() {
  const Instant start = events_.now();
  PlanRequests();
  if (options_.faults) PlanChaos();
  if (!options_.wire) network_.faults().post_fails = 1;
  RunUntil(start + kChaosTime);
  chaos_ = false;
  if (options_.wire) network_.Heal();
  RunUntilEnded(start + kChaosTime + kHealTime);
  RunUntil(std::max(events_.now(), options_.faults ? start + kHealed : start));
  if (!Stops()) CheckEnds();
  CountClients();
  if (options_.wire) PlanProbes();
  RunUntilEnded(events_.now() + kProbeTime);
  if (options_.wire) PlanTenantProbe();
  RunUntilEnded(events_.now() + kProbeTime);
  if (!Stops()) CheckEnds();
  RunUntil(events_.now() + kRestTime);
  if (!Stops()) CheckRest();
  report_.events = events_.events();
  report_.trace_hash = events_.trace_hash();
  report_.last = events_.last();
  report_.faults = book_.counts();
  report_.simulated = events_.now() - start;
  return report_;
}

void SimCluster::RunUntil(Instant end) {
  while (!Stops() && events_.RunOne(end)) {
  }
}

void SimCluster::RunUntilEnded(Instant end) {
  while (!AllEnded() && !Stops() && events_.RunOne(end)) {
  }
}

bool SimCluster::Stops() const {
  if (options_.until != 0 && events_.events() >= options_.until) return true;
  return report_.violations.size() >= kViolationsMax;
}

void SimCluster::PlanRequests() {
  std::vector<std::vector<TokenId>> heads(4);
  for (auto& head : heads) {
    head.resize(static_cast<std::size_t>(random_.Between(1, 40)));
    for (TokenId& token : head) token = random_.Between(1, kHashVocabulary - 1);
  }
  for (int i = 0; i < options_.requests; ++i) {
    std::vector<TokenId> prompt;
    if (random_.Chance(0.7)) prompt = heads[random_.Below(heads.size())];
    const double hurried = options_.faults ? kHurried : 0;
    auto client = DrawSimClient(i, std::move(prompt), random_, book_, hurried);
    client->must_finish = !options_.faults && options_.wire;
    Plan(std::move(client),
         Milliseconds(100) + random_.DurationBetween(Duration::zero(), scene_.arrivals));
  }
}

/// Requests to the healed cluster: nothing is broken any more, so each finishes.
void SimCluster::PlanProbes() {
  for (int i = 0; i < kProbes; ++i) {
    auto client = DrawSimClient(options_.requests + i, {}, random_, book_, 0);
    client->must_finish = true;
    Plan(std::move(client), Milliseconds(20) * i);
  }
}

/// The prompt of a probe that has ended, asked for by another tenant: nobody may serve it cached.
void SimCluster::PlanTenantProbe() {
  auto client = DrawSimClient(options_.requests + kProbes, {}, random_, book_, 0);
  const Request& other = clients_.back()->request;
  client->request.prompt = other.prompt;
  client->request.cache_salt = other.cache_salt + "another tenant";
  client->expected =
      HashOracle(client->request.prompt, client->request.sampling, client->request.stop);
  client->request.sampling.prompt_logprobs = -1;  // who asks for them takes no hit anyway
  client->expected_prompt.clear();
  client->must_finish = true;
  client->must_be_cold = true;
  Plan(std::move(client), Duration::zero());
}

void SimCluster::Plan(std::unique_ptr<SimClient> client, Duration delay) {
  client->router = static_cast<int>(random_.Below(routers_.size()));
  clients_.push_back(std::move(client));
  events_.After(delay, [this, place = clients_.back().get()] { Submit(*place); });
}

void SimCluster::Submit(SimClient& client) {
  client.submitted = true;
  client.submitted_at = events_.now();
  RouterInput(client.router, Duration::zero(), [this, &client](RouterCore& core) {
    const Instant now = RouterNow(client.router);
    const int before = scene_.queue_max > 0 ? core.Stats(now).queued_requests : 0;
    core.Submit(client.request, ObserverOf(client, events_, violation_), now);
    // Those that have begun may wait beyond the bound for a worker to come back; no new one may.
    const int after = scene_.queue_max > 0 ? core.Stats(now).queued_requests : 0;
    if (after > before && after > scene_.queue_max) violation_("a queue longer than its bound");
  });
  const bool probe = client.must_finish && options_.faults;
  if (probe) return;
  if (!book_.Strikes(Fault::kClientCancels, random_, options_.faults ? 0.15 : 0.05)) return;
  events_.After(random_.DurationBetween(Duration::zero(), Milliseconds(300)), [this, &client] {
    if (client.over()) return;
    client.cancelled = true;
    RouterInput(client.router, Duration::zero(),
                [id = client.request.id](RouterCore& core) { core.Cancel(id, false); });
  });
}

bool SimCluster::AllEnded() const {
  for (const auto& client : clients_) {
    if (!client->over()) return false;
  }
  return true;
}

// --- invariants at the end

void SimCluster::CheckEnds() {
  for (const auto& client : clients_) {
    if (!client->over()) violation_(absl::StrFormat("client %d never ended", client->number));
  }
}

void SimCluster::CountClients() {
  for (const auto& client : clients_) {
    ++report_.requests;
    report_.tokens += static_cast<int>(client->heard.size());
    if (client->finished) {
      ++report_.finished;
    } else if (client->lost) {
      ++report_.lost;
    } else if (client->cancelled) {
      ++report_.cancelled;
    } else {
      ++report_.failed[client->code];
      if (client->code == "queue_full") book_.Count(Fault::kQueueFull);
    }
  }
}

void SimCluster::CheckRest() {
  for (const auto& slot : workers_) {
    if (slot->worker == nullptr) {
      violation_(slot->name + ": never came back");
    } else if (const std::string unrest = slot->worker->Unrest(); !unrest.empty()) {
      violation_(unrest);
    }
    if (slot->worker != nullptr) CountWorker(*slot->worker);
  }
  for (const auto& slot : routers_) {
    const RouterStats stats = slot->core->Stats(events_.now());
    if (stats.live_requests != 0) violation_("a router holds a request");
    CountRetries(*slot->core);
    report_.handoffs += static_cast<int>(stats.routed_disaggregated);
    CheckIndex(static_cast<int>(&slot - routers_.data()), stats);
  }
}

/// A router's index holds what its workers have stated, whatever was lost, doubled or exchanged on
/// the way.
void SimCluster::CheckIndex(int router, const RouterStats& stats) {
  if (stats.index_expected != 0) {
    violation_(absl::StrFormat("router %d: expects %d pages that nobody computes", router,
                               stats.index_expected));
  }
  std::size_t stated = 0;
  for (const auto& [id, link] : links_) {
    if (link.router != router || link.broken || WorkerAt(link) == nullptr) continue;
    if (link.tail_lost) return;  // it cannot know
    stated += link.stated.size();
  }
  if (stats.index_pages != stated) {
    violation_(absl::StrFormat("router %d: %d pages in its index, %d stated", router,
                               stats.index_pages, stated));
  }
}

}  // namespace baton
