#include "tests/sim/sim_cluster.h"

#include "absl/strings/str_format.h"
#include "base/check.h"

namespace baton {
namespace {

constexpr int kPageTokens = 8;
constexpr Duration kChaosTime = std::chrono::seconds(6);
constexpr Duration kHealTime = std::chrono::seconds(60);  // then everything has ended
constexpr Duration kRestTime = std::chrono::seconds(30);  // leases, holds and back-offs run out
constexpr Duration kKeepalive = Milliseconds(2100);       // a silent stream is dead after that

}  // namespace

/// A client: what it asked, what the oracle says, what it heard.
struct SimCluster::Client {
  Request request;
  std::vector<TokenOutput> expected;
  int router = 0;
  std::vector<TokenOutput> heard;
  int ends = 0;
  bool submitted = false;
  bool cancelled = false;
  bool lost = false;  // its router crashed
};

struct SimCluster::RouterSlot {
  std::unique_ptr<SimProcess> process;
  std::unique_ptr<SimRounds> rounds;
  std::unique_ptr<RouterCore> core;
};

struct SimCluster::WorkerSlot {
  std::string name;
  link::Role role{};
  std::unique_ptr<SimWorker> worker;  // null while it is down
};

struct SimCluster::Link {
  int router = 0;
  int worker = 0;
  bool up_at_router = false;  // it heard Register
  bool broken = false;
  Instant last_to_router{};
  Instant last_to_worker{};
};

/// Hears what becomes of one request and holds it against the oracle at once.
class SimObserver : public ResponseObserver {
 public:
  using OnTokensFn = std::function<void(const std::vector<TokenOutput>&)>;
  using OnEndFn = std::function<void(bool finished, const RequestUsage&, const std::string& code)>;

  SimObserver(OnTokensFn tokens, OnEndFn end) : tokens_(std::move(tokens)), end_(std::move(end)) {}

  void OnTokens(const std::vector<TokenOutput>& tokens) override { tokens_(tokens); }
  void OnFinished(FinishReason, const RequestUsage& usage, const HandoffBudget&) override {
    end_(true, usage, "");
  }
  void OnFailed(const absl::Status&, const std::string& code) override { end_(false, {}, code); }

 private:
  const OnTokensFn tokens_;
  const OnEndFn end_;
};

SimCluster::SimCluster(const SimOptions& options)
    : options_(options), random_(options.seed), network_(events_, random_) {
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
    StartWorker(i);
  }
}

SimCluster::~SimCluster() = default;

SimReport SimCluster::Run() {
  const Instant start = events_.now();
  PlanRequests();
  if (options_.faults) PlanChaos();
  while (events_.RunOne(start + kChaosTime)) {
  }
  chaos_ = false;
  network_.faults() = {};
  const Instant heal_end = start + kChaosTime + kHealTime;
  while (!AllEnded() && events_.RunOne(heal_end)) {
  }
  CheckEnds();
  const Instant rest_end = events_.now() + kRestTime;
  while (events_.RunOne(rest_end)) {
  }
  CheckRest();
  report_.events = events_.events();
  report_.trace_hash = events_.trace_hash();
  report_.simulated = events_.now() - start;
  return report_;
}

// --- routers

void SimCluster::StartRouter(int index) {
  RouterSlot& slot = *routers_[static_cast<std::size_t>(index)];
  RouterOptions options;
  options.seed = random_.Next();
  options.incarnation = random_.Next() | 1;
  options.introduction_secret = std::string(32, 's');
  options.backoff = Milliseconds(20);
  slot.core = std::make_unique<RouterCore>(options);
  slot.process = std::make_unique<SimProcess>(events_, random_);
  slot.rounds = std::make_unique<SimRounds>(*slot.process, events_,
                                            [this, index] { return RouterRound(index); });
  slot.rounds->Wake(Duration::zero());
}

Instant SimCluster::RouterRound(int router) {
  RouterCore& core = *routers_[static_cast<std::size_t>(router)]->core;
  const Instant due = core.Tick(events_.now());
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

void SimCluster::CrashRouter(int index) {
  RouterSlot& slot = *routers_[static_cast<std::size_t>(index)];
  const RouterStats stats = slot.core->Stats(events_.now());
  for (const auto& [reason, count] : stats.retries) report_.retries += static_cast<int>(count);
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
  auto arena = KvArena::Create(HashLayout(kPageTokens), options_.pages);
  BATON_CHECK(arena.ok());
  arenas_.push_back(*std::move(arena));
  SimWorkerOptions options;
  options.name = slot.name;
  options.role = slot.role;
  options.incarnation = Incarnation{random_.Next() | 1};
  options.seed = random_.Next() | 1;
  options.step_tokens_max = 8 * random_.Between(1, 6);
  options.per_token = std::chrono::microseconds(random_.Between(5, 200));
  slot.worker = MakeSimWorker(network_, *arenas_.back(), options,
                              {[this, index](LinkId link, link::WorkerMessage message) {
                                 FromWorker(index, link, std::move(message));
                               },
                               [this](const std::string& what) { Violation(what); }});
  for (int router = 0; router < options_.routers; ++router) {
    Dial(index, router, random_.DurationBetween(Duration::zero(), Milliseconds(5)));
  }
}

void SimCluster::CrashWorker(int index) {
  WorkerSlot& slot = *workers_[static_cast<std::size_t>(index)];
  if (slot.worker == nullptr) return;
  events_.Trace("crash", static_cast<std::uint64_t>(index));
  slot.worker.reset();
  const Duration notice = random_.DurationBetween(Duration::zero(), Milliseconds(50));
  for (int router = 0; router < options_.routers; ++router) {
    BreakLinksOf(router, index, notice, Duration::zero());
  }
  if (random_.Chance(0.7)) {  // else its peers hear nothing from the transport
    events_.After(notice, [this, name = slot.name] {
      for (auto& other : workers_) {
        if (other->worker != nullptr) other->worker->LosePeersTo(name);
      }
    });
  }
  events_.After(random_.DurationBetween(Milliseconds(50), Milliseconds(2000)), [this, index] {
    if (workers_[static_cast<std::size_t>(index)]->worker == nullptr) StartWorker(index);
  });
}

void SimCluster::PauseWorker(int index) {
  WorkerSlot& slot = *workers_[static_cast<std::size_t>(index)];
  if (slot.worker == nullptr) return;
  const Duration pause = random_.DurationBetween(Milliseconds(10), Milliseconds(10'000));
  events_.Trace("pause", static_cast<std::uint64_t>(index));
  slot.worker->Pause(events_.now() + pause);
  if (pause < kKeepalive) return;
  for (int router = 0; router < options_.routers; ++router) {
    BreakLinksOf(router, index, kKeepalive, kKeepalive);
  }
}

// --- links

void SimCluster::Dial(int worker, int router, Duration delay) {
  events_.After(delay, [this, worker, router] {
    WorkerSlot& slot = *workers_[static_cast<std::size_t>(worker)];
    if (slot.worker == nullptr) return;
    for (const auto& [id, link] : links_) {
      if (link.worker == worker && link.router == router && !link.broken) return;
    }
    const LinkId id{next_link_++};
    links_[id] = {router, worker, false, false, {}, {}};
    slot.worker->OnLinkUp(id);
  });
}

Duration SimCluster::LinkDelay(Instant& last) {
  Duration delay =
      random_.DurationBetween(std::chrono::microseconds(30), std::chrono::microseconds(800));
  if (chaos_ && random_.Chance(0.002))
    delay += random_.DurationBetween(Duration::zero(), Milliseconds(800));
  last = std::max(last, events_.now() + delay);
  return last - events_.now();
}

void SimCluster::FromWorker(int, LinkId id, link::WorkerMessage message) {
  const auto found = links_.find(id);
  if (found == links_.end() || found->second.broken) return;
  Link& link = found->second;
  const bool first = message.has_register_();
  RouterInput(link.router, LinkDelay(link.last_to_router),
              [this, id, first, message = std::move(message)](RouterCore& core) {
                Link& to = links_.at(id);
                if (to.broken) return;
                if (first) {
                  to.up_at_router = true;
                  core.OnLinkUp(id, message.register_(), events_.now());
                } else {
                  core.OnMessage(id, message, events_.now());
                }
              });
}

void SimCluster::FromRouter(RouterOutput output) {
  const auto found = links_.find(output.link);
  if (found == links_.end() || found->second.broken) return;
  Link& link = found->second;
  if (output.message.has_refused())
    Violation("a worker was refused: " + output.message.refused().message());
  events_.After(LinkDelay(link.last_to_worker),
                [this, id = output.link, message = std::move(output.message)] {
                  const Link& to = links_.at(id);
                  WorkerSlot& slot = *workers_[static_cast<std::size_t>(to.worker)];
                  if (!to.broken && slot.worker != nullptr) slot.worker->OnMessage(id, message);
                });
}

void SimCluster::BreakLink(LinkId id, Duration router_notices, Duration worker_notices) {
  events_.After(router_notices, [this, id, worker_notices, router_notices] {
    Link& link = links_.at(id);
    if (link.broken) return;
    link.broken = true;
    if (link.up_at_router) {
      RouterInput(link.router, Duration::zero(),
                  [this, id](RouterCore& core) { core.OnLinkLost(id, events_.now()); });
    }
    events_.After(std::max(Duration::zero(), worker_notices - router_notices), [this, id] {
      const Link& lost = links_.at(id);
      WorkerSlot& slot = *workers_[static_cast<std::size_t>(lost.worker)];
      if (slot.worker != nullptr) slot.worker->OnLinkLost(id);
      Dial(lost.worker, lost.router,
           random_.DurationBetween(Milliseconds(100), Milliseconds(1500)));
    });
  });
}

void SimCluster::BreakLinksOf(int router, int worker, Duration router_notices,
                              Duration worker_notices) {
  for (const auto& [id, link] : links_) {
    if (link.router == router && link.worker == worker && !link.broken) {
      BreakLink(id, router_notices, worker_notices);
    }
  }
}

// --- clients

void SimCluster::PlanRequests() {
  std::vector<std::vector<TokenId>> heads(4);
  for (auto& head : heads) {
    head.resize(static_cast<std::size_t>(random_.Between(1, 40)));
    for (TokenId& token : head) token = random_.Between(1, kHashVocabulary - 1);
  }
  for (int i = 0; i < options_.requests; ++i) {
    auto client = std::make_unique<Client>();
    Request& request = client->request;
    request.id = {random_.Next(), random_.Next()};
    if (random_.Chance(0.7)) request.prompt = heads[random_.Below(heads.size())];
    for (int n = random_.Between(1, 40); n > 0; --n) {
      request.prompt.push_back(random_.Between(1, kHashVocabulary - 1));
    }
    request.sampling.seed = random_.Next();
    request.sampling.logprobs = 0;
    request.stop.max_tokens = random_.Chance(0.15) ? 1 : random_.Between(2, 48);
    request.stop.end_tokens = {kHashEnd};
    request.time_left = std::chrono::seconds(40);
    client->expected = HashOracle(request.prompt, request.sampling, request.stop);
    client->router = static_cast<int>(random_.Below(static_cast<std::uint64_t>(options_.routers)));
    clients_.push_back(std::move(client));
    events_.After(
        Milliseconds(100) + random_.DurationBetween(Duration::zero(), std::chrono::seconds(5)),
        [this, i] { Submit(i); });
  }
}

void SimCluster::Submit(int index) {
  Client& client = *clients_[static_cast<std::size_t>(index)];
  ++report_.requests;
  client.submitted = true;
  const SimObserver observer(
      [this, &client, index](const std::vector<TokenOutput>& tokens) {
        if (client.ends > 0) Violation(absl::StrFormat("client %d: a token after the end", index));
        for (const TokenOutput& token : tokens) {
          const std::size_t place = client.heard.size();
          client.heard.push_back(token);
          ++report_.tokens;
          events_.Trace("token", static_cast<std::uint64_t>(index),
                        static_cast<std::uint64_t>(token.token));
          if (place >= client.expected.size() || token != client.expected[place]) {
            Violation(absl::StrFormat("client %d: token %d is not the oracle's", index, place));
          }
        }
      },
      [this, &client, index](bool finished, const RequestUsage& usage, const std::string& code) {
        if (++client.ends > 1) Violation(absl::StrFormat("client %d: ended twice", index));
        events_.Trace("end", static_cast<std::uint64_t>(index), finished ? 1 : 0);
        if (!finished) {
          ++(client.cancelled ? report_.cancelled : report_.failed);
          if (!options_.faults && !client.cancelled) {
            Violation(absl::StrFormat("client %d: failed (%s) without a fault", index, code));
          }
          return;
        }
        ++report_.finished;
        if (client.heard.size() != client.expected.size()) {
          Violation(absl::StrFormat("client %d: finished after %d of %d tokens", index,
                                    client.heard.size(), client.expected.size()));
        }
        if (usage.cached_tokens >= static_cast<int>(client.request.prompt.size())) {
          Violation(absl::StrFormat("client %d: %d cached tokens of %d", index, usage.cached_tokens,
                                    client.request.prompt.size()));
        }
      });
  RouterInput(client.router, Duration::zero(),
              [this, request = client.request, observer](RouterCore& core) {
                core.Submit(request, std::make_unique<SimObserver>(observer), events_.now());
              });
  if (!random_.Chance(options_.faults ? 0.15 : 0.05)) return;
  events_.After(random_.DurationBetween(Duration::zero(), Milliseconds(300)), [this, &client] {
    if (client.ends > 0 || client.lost) return;
    client.cancelled = true;
    RouterInput(client.router, Duration::zero(),
                [id = client.request.id](RouterCore& core) { core.Cancel(id); });
  });
}

// --- chaos

void SimCluster::PlanChaos() {
  chaos_ = true;
  WireFaults& wire = network_.faults();
  const auto rate = [this](double highest) {
    return random_.Chance(0.5) ? highest * static_cast<double>(random_.Below(1000)) / 1000 : 0.0;
  };
  wire.outlier = rate(0.01);
  wire.lose_peer = rate(0.01);
  wire.corrupt = rate(0.005);
  wire.post_fails = rate(0.005);
  if (random_.Chance(0.3)) wire.delay_max = Milliseconds(10);
  const int blows = random_.Between(1, 10);
  for (int i = 0; i < blows; ++i) {
    events_.After(random_.DurationBetween(Milliseconds(200), kChaosTime - Milliseconds(100)),
                  [this] { Chaos(); });
  }
}

void SimCluster::Chaos() {
  ++report_.faults;
  const int worker = static_cast<int>(random_.Below(workers_.size()));
  const int router = static_cast<int>(random_.Below(routers_.size()));
  switch (random_.Below(10)) {
    case 0:
    case 1:
    case 2:
      return CrashWorker(worker);
    case 3:
    case 4:
      return PauseWorker(worker);
    case 5:
    case 6:
      events_.Trace("break", static_cast<std::uint64_t>(worker),
                    static_cast<std::uint64_t>(router));
      return BreakLinksOf(router, worker,
                          random_.DurationBetween(Duration::zero(), Milliseconds(2100)),
                          random_.DurationBetween(Duration::zero(), Milliseconds(2100)));
    case 7:
    case 8: {
      const std::string& from = workers_[random_.Below(workers_.size())]->name;
      const std::string& to = workers_[random_.Below(workers_.size())]->name;
      return network_.Cut(
          from, to, events_.now() + random_.DurationBetween(Milliseconds(10), Milliseconds(8000)));
    }
    default:
      return CrashRouter(router);
  }
}

// --- invariants at the end

void SimCluster::Violation(const std::string& what) {
  if (report_.violations.size() < 20) {
    report_.violations.push_back(absl::StrFormat("event %d at %.6f s: %s", events_.events(),
                                                 ToSeconds(events_.now().time_since_epoch()) - 3600,
                                                 what));
  }
}

bool SimCluster::AllEnded() const {
  for (const auto& client : clients_) {
    if (client->ends == 0 && !client->lost) return false;
  }
  return report_.requests == options_.requests;
}

void SimCluster::CheckEnds() {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const Client& client = *clients_[i];
    if (client.lost) ++report_.lost;
    if (client.ends == 0 && !client.lost) Violation(absl::StrFormat("client %d never ended", i));
  }
}

void SimCluster::CheckRest() {
  for (const auto& slot : workers_) {
    if (slot->worker == nullptr) {
      Violation(slot->name + ": never came back");
    } else if (const std::string unrest = slot->worker->Unrest(); !unrest.empty()) {
      Violation(unrest);
    }
  }
  for (const auto& slot : routers_) {
    const RouterStats stats = slot->core->Stats(events_.now());
    if (stats.live_requests != 0) Violation("a router holds a request");
    for (const auto& [reason, count] : stats.retries) report_.retries += static_cast<int>(count);
    report_.handoffs += static_cast<int>(stats.routed_disaggregated);
  }
}

}  // namespace baton
