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
  CheckEnds();
  CountClients();
  if (options_.wire) PlanProbes();
  RunUntilEnded(events_.now() + kProbeTime);
  CheckEnds();
  RunUntil(events_.now() + kRestTime);
  CheckRest();
  report_.events = events_.events();
  report_.trace_hash = events_.trace_hash();
  report_.simulated = events_.now() - start;
  return report_;
}

void SimCluster::RunUntil(Instant end) {
  while (report_.violations.size() < kViolationsMax && events_.RunOne(end)) {
  }
}

void SimCluster::RunUntilEnded(Instant end) {
  while (!AllEnded() && report_.violations.size() < kViolationsMax && events_.RunOne(end)) {
  }
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
    auto client = DrawSimClient(i, std::move(prompt), random_);
    client->must_finish = !options_.faults && options_.wire;
    Plan(std::move(client),
         Milliseconds(100) + random_.DurationBetween(Duration::zero(), scene_.arrivals));
  }
}

/// Requests to the healed cluster: nothing is broken any more, so each finishes.
void SimCluster::PlanProbes() {
  for (int i = 0; i < kProbes; ++i) {
    auto client = DrawSimClient(options_.requests + i, {}, random_);
    client->must_finish = true;
    Plan(std::move(client), Milliseconds(20) * i);
  }
}

void SimCluster::Plan(std::unique_ptr<SimClient> client, Duration delay) {
  client->router = static_cast<int>(random_.Below(routers_.size()));
  clients_.push_back(std::move(client));
  events_.After(delay, [this, place = clients_.back().get()] { Submit(*place); });
}

void SimCluster::Submit(SimClient& client) {
  client.submitted = true;
  RouterInput(client.router, Duration::zero(), [this, &client](RouterCore& core) {
    core.Submit(client.request, ObserverOf(client, events_, violation_), events_.now());
  });
  const bool probe = client.must_finish && options_.faults;
  if (probe || !random_.Chance(options_.faults ? 0.15 : 0.05)) return;
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
  }
  for (const auto& slot : routers_) {
    const RouterStats stats = slot->core->Stats(events_.now());
    if (stats.live_requests != 0) violation_("a router holds a request");
    CountRetries(*slot->core);
    report_.handoffs += static_cast<int>(stats.routed_disaggregated);
  }
}

}  // namespace baton
