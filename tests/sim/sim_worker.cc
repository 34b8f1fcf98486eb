#include "tests/sim/sim_worker.h"

#include "absl/strings/str_format.h"
#include "tests/sim/lent_pages.h"
#include "tests/sim/sim_facts.h"

namespace baton {
namespace {

constexpr Duration kRenewGrace = Milliseconds(10);  // news of a layer takes a hop

struct PrefillTypes {
  using Worker = PrefillWorker;
  using Transfers = OutboundTransfers;
  using Command = OutboundCommand;
  using Event = OutboundEvent;

  static PrefillOptions Options(const SimWorkerOptions& sim) {
    PrefillOptions options;
    options.step_tokens_max = sim.step_tokens_max;
    return options;
  }
};

struct DecodeTypes {
  using Worker = DecodeWorker;
  using Transfers = InboundTransfers;
  using Command = InboundCommand;
  using Event = InboundEvent;

  static DecodeOptions Options(const SimWorkerOptions& sim) {
    DecodeOptions options;
    options.step_tokens_max = sim.step_tokens_max;
    options.sequences_max = sim.step_tokens_max;
    options.promised_fraction_max = 0.5;
    options.growth_tokens = 64;
    return options;
  }
};

template <typename Types>
class SimWorkerOf : public SimWorker {
 public:
  SimWorkerOf(SimNetwork& network, KvArena& arena, const SimWorkerOptions& options,
              SimWorkerHooks hooks)
      : events_(network.events()),
        network_(network),
        arena_(arena),
        name_(options.name),
        hooks_(std::move(hooks)),
        stall_(options.stall),
        process_(network.events(), network.random(), options.clock),
        engine_(process_, events_, [this] { return EngineRound(); }),
        transfer_(process_, events_, [this] { return TransferRound(); }),
        executor_(events_, arena, ExecutorOptions(options)),
        transport_(network, options.name, [this] { transfer_.Wake(process_.Hop()); },
                   {[this](const FrameHeader& header, const std::byte* place, bool whole) {
                      Watch(header, place, "landed in");
                      if (whole) landed_bytes_ += header.bytes;
                    },
                    [this](const FrameHeader& header, const std::byte* source) {
                      Watch(header, source, "was read from");
                    },
                    [this] { return executor_.silence(events_.now()) > stall_ + kRenewGrace; },
                    [this](const char* what) { hooks_.violation(name_ + " " + what); }}),
        transfers_({options.name, options.incarnation, SimFields(arena.layout())}, arena,
                   transport_, options.seed, LimitsOf(options)),
        worker_(SimFacts(options, arena), arena, executor_, Types::Options(options)) {
    engine_.Wake(Duration::zero());
    transfer_.Wake(Duration::zero());
  }

  void OnLinkUp(LinkId link) override {
    Engine([this, link] { worker_.OnLinkUp(link, process_.now()); });
  }
  void OnLinkLost(LinkId link) override {
    Engine([this, link] { worker_.OnLinkLost(link, process_.now()); });
  }
  void OnMessage(LinkId link, link::RouterMessage message) override {
    Engine([this, link, message = std::move(message)] {
      worker_.OnMessage(link, message, process_.now());
    });
  }
  void Pause(Instant until) override {
    process_.PauseUntil(until);
    executor_.StandUntil(until);
  }
  void HangDevice(Instant until) override { executor_.HangUntil(until); }
  void SlowDevice(int times) override { executor_.Slow(times); }
  void LosePeersTo(const std::string& address) override { transport_.LosePeersTo(address); }
  void Drain() override {
    Engine([this] { worker_.StartDrain(process_.now()); });
  }
  void LoseDevice() override {
    Engine([this] { executor_.Break(); });
  }

  std::string Unrest() const override {
    const PageLedger ledger = worker_.ledger();
    if (ledger.free != ledger.pool) {
      return absl::StrFormat("%s: %d of %d pages free, %d owned, %d inbound, %d unaccounted", name_,
                             ledger.free, ledger.pool, ledger.owned, ledger.inbound,
                             ledger.unaccounted());
    }
    if (ledger.promised != 0)
      return absl::StrFormat("%s: %d pages promised", name_, ledger.promised);
    if (!transfers_.settled()) return absl::StrFormat("%s: a hand-off lives", name_);
    if constexpr (std::is_same_v<Types, DecodeTypes>) {
      if (const std::uint64_t back = worker_.stats().given_back; back != 0)
        return absl::StrFormat("%s: %d answers outgrew their promise", name_, back);
      if (const std::uint64_t told = transfers_.stats().bytes_landed; told != landed_bytes_)
        return absl::StrFormat("%s: %d bytes landed, and it counts %d", name_, landed_bytes_, told);
    }
    return "";
  }

  SimWorkerCounts counts() const override {
    SimWorkerCounts counts;
    if constexpr (std::is_same_v<Types, DecodeTypes>) counts.inbound = transfers_.stats();
    counts.handoff_ends = handoff_ends_;
    return counts;
  }

 private:
  static TransferLimits LimitsOf(const SimWorkerOptions& options) {
    TransferLimits limits;
    limits.stall = options.stall;
    return limits;
  }

  SimExecutor::Options ExecutorOptions(const SimWorkerOptions& options) {
    SimExecutor::Options out;
    out.step_fixed = options.step_fixed;
    out.per_token = options.per_token;
    out.step_ready = [this] { engine_.Wake(process_.Hop()); };
    if constexpr (std::is_same_v<Types, PrefillTypes>) {
      out.layer_done = [this](std::uint64_t step, int layer) {
        Transfer(OutboundLayer{step, static_cast<std::uint32_t>(layer)});
      };
    }
    return out;
  }

  void Engine(std::function<void()> input) {
    process_.Do(Duration::zero(), [this, input = std::move(input)] {
      input();
      engine_.Wake(Duration::zero());
    });
  }

  /// One queue between the threads: its order holds, its delay varies.
  void Transfer(typename Types::Command command) {
    command_time_ = std::max(command_time_, events_.now() + process_.Hop());
    process_.Do(command_time_ - events_.now(), [this, command = std::move(command)] {
      transfers_.On(command, process_.now());
      transfer_.Wake(Duration::zero());
    });
  }

  Instant EngineRound() {
    const Instant due = worker_.Tick(process_.now());
    for (auto& command : worker_.TakeTransferCommands()) {
      lent_.On(command);
      Transfer(std::move(command));
    }
    for (WorkerOutput& output : worker_.TakeLinkMessages()) {
      hooks_.send(output.link, std::move(output.message));
    }
    for (const auto& handoff : worker_.TakeHandoffs()) {
      ++handoff_ends_[ToString(handoff.reason)];
      CheckReason(handoff.reason);
    }
    worker_.TakeSteps();
    CheckPages();
    return due;
  }

  Instant TransferRound() {
    const Instant due = transfers_.Tick(process_.now());
    for (auto& event : transfers_.TakeEvents()) {
      event_time_ = std::max(event_time_, events_.now() + process_.Hop());
      process_.Do(event_time_ - events_.now(), [this, event = std::move(event)] {
        lent_.On(event);
        worker_.OnTransfer(event, process_.now());
        engine_.Wake(Duration::zero());
      });
    }
    return due;
  }

  /// Ends of a hand-off that only a bug of an end can bring about.
  void CheckReason(HandoffReason reason) {
    const bool broken_bytes = network_.faults().bytes_may_break;
    const bool impossible =
        reason == HandoffReason::kProtocol || reason == HandoffReason::kKeysDiffer ||
        reason == HandoffReason::kRefused || (reason == HandoffReason::kCorrupt && !broken_bytes);
    if (impossible)
      hooks_.violation(absl::StrFormat("%s: hand-off ended: %s", name_, ToString(reason)));
  }

  /// Each page has a holder, and what is lent stays with the hand-off that it was lent to.
  void CheckPages() {
    const PageLedger ledger = worker_.ledger();
    if (ledger.unaccounted() != 0) {
      hooks_.violation(
          absl::StrFormat("%s: %d pages that no owner names", name_, ledger.unaccounted()));
    }
    if (ledger.inbound != lent_.inbound() || ledger.owned < lent_.outbound()) {
      hooks_.violation(absl::StrFormat("%s: %d pages in and %d out are lent; %d and %d are held",
                                       name_, lent_.inbound(), lent_.outbound(), ledger.inbound,
                                       ledger.owned));
    }
  }

  void Watch(const FrameHeader& header, const std::byte* place, const char* what) {
    const auto offset = static_cast<std::size_t>(place - arena_.base());
    const PageId page{static_cast<std::uint32_t>(offset / arena_.layout().PageBytes())};
    if (lent_.Lent(page)) return;
    hooks_.violation(
        absl::StrFormat("%s: ordinal %d of lease %d %s page %d, which is lent to nobody", name_,
                        header.page, Index(header.lease), what, Index(page)));
  }

  EventQueue& events_;
  SimNetwork& network_;
  KvArena& arena_;
  const std::string name_;
  const SimWorkerHooks hooks_;
  const Duration stall_;
  SimProcess process_;
  SimRounds engine_;
  SimRounds transfer_;
  LentPages lent_;
  Instant command_time_{};
  Instant event_time_{};
  std::uint64_t landed_bytes_ = 0;
  std::map<std::string, int> handoff_ends_;
  SimExecutor executor_;
  SimTransport transport_;
  typename Types::Transfers transfers_;
  typename Types::Worker worker_;
};

}  // namespace

std::unique_ptr<SimWorker> MakeSimWorker(SimNetwork& network, KvArena& arena,
                                         const SimWorkerOptions& options, SimWorkerHooks hooks) {
  if (options.role == link::ROLE_PREFILL) {
    return std::make_unique<SimWorkerOf<PrefillTypes>>(network, arena, options, std::move(hooks));
  }
  return std::make_unique<SimWorkerOf<DecodeTypes>>(network, arena, options, std::move(hooks));
}

}  // namespace baton
