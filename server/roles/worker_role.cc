#include "server/roles/worker_role.h"

#include <algorithm>
#include <cstdio>
#include <semaphore>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/status.h"
#include "server/admin/health_routes.h"
#include "server/http/http_server.h"
#include "server/roles/engine_thread.h"
#include "server/roles/handoff_log.h"
#include "server/roles/router_links.h"
#include "server/roles/signals.h"
#include "server/roles/step_probe.h"
#include "server/roles/transfer_thread.h"
#include "server/roles/worker_metrics.h"
#include "server/roles/worker_parts.h"
#include "server/version.h"

namespace baton {
namespace {

constexpr Duration kWatchPeriod = Milliseconds(20);  // how often a drain looks
constexpr Duration kHealthPeriod = std::chrono::seconds(1);
constexpr Duration kFirstStepPatience = std::chrono::minutes(1);

std::uint32_t CachedPagesMax(const Config& config) {
  if (config.flat.max_cached_tokens == 0) return UINT32_MAX;
  return static_cast<std::uint32_t>(config.flat.max_cached_tokens /
                                    static_cast<std::uint64_t>(config.cache.page_tokens));
}

/// What differs between the roles: types, options, and who observes what.
struct PrefillSide {
  using Worker = PrefillWorker;
  using Transfers = OutboundTransfers;
  using Command = OutboundCommand;
  using Event = OutboundEvent;
  using Stats = PrefillStats;
  using TransferStats = OutboundStats;
  using RoleMetrics = PrefillMetrics;
  static constexpr link::Role kRole = link::ROLE_PREFILL;

  static const WorkerRoleConfig& Knobs(const Config& config) { return config.prefill; }
  static PrefillOptions Options(const Config& config) {
    PrefillOptions options;
    options.step_tokens_max = config.prefill.step_tokens_max;
    options.sequences_max = config.prefill.sequences_max;
    options.prefix_caching = config.flat.enable_prefix_caching;
    options.cached_pages_max = CachedPagesMax(config);
    options.load_report = Milliseconds(config.router.load_report_ms);
    return options;
  }
  static void ObserveEvent(RoleMetrics& metrics, const Event& event) {
    if (const auto* ended = std::get_if<OutboundEnded>(&event)) {
      metrics.ObserveWire(ended->wire, ended->bytes);
    }
  }
};

struct DecodeSide {
  using Worker = DecodeWorker;
  using Transfers = InboundTransfers;
  using Command = InboundCommand;
  using Event = InboundEvent;
  using Stats = DecodeStats;
  using TransferStats = InboundStats;
  using RoleMetrics = DecodeMetrics;
  static constexpr link::Role kRole = link::ROLE_DECODE;

  static const WorkerRoleConfig& Knobs(const Config& config) { return config.decode; }
  static DecodeOptions Options(const Config& config) {
    DecodeOptions options;
    options.step_tokens_max = config.decode.step_tokens_max;
    options.sequences_max = config.decode.sequences_max;
    options.prefix_caching = config.flat.enable_prefix_caching;
    options.cached_pages_max = CachedPagesMax(config);
    options.promised_fraction_max = config.cache.promised_fraction_max;
    options.growth_watermark = config.cache.growth_watermark;
    options.load_report = Milliseconds(config.router.load_report_ms);
    return options;
  }
  static void ObserveEvent(RoleMetrics&, const Event&) {}
};

template <typename Side>
class WorkerRole {
 public:
  using Engine = EngineThread<typename Side::Worker, typename Side::Event, typename Side::Stats>;
  using Transfer = TransferThread<typename Side::Transfers, typename Side::Command,
                                  typename Side::Event, typename Side::TransferStats>;

  WorkerRole(const LoadedConfig& loaded, WorkerParts parts, const RoleSeams& seams)
      : config_(loaded.config),
        seams_(seams),
        parts_(std::move(parts)),
        metrics_({{"model_name", parts_.model->facts().name}, {"engine", "0"}}),
        pool_metrics_(metrics_, parts_.arena->layout(), parts_.arena->num_pages()),
        role_metrics_(metrics_),
        transfers_(parts_.self, *parts_.arena, *parts_.transport, parts_.secret, parts_.limits),
        transfer_(*parts_.transport, transfers_) {
    metrics_.Gauge(metric::kBuildInfo, {{"version", kVersion}, {"backend", parts_.backend->isa}})
        .Set(1);
  }

  /// Everything that takes long; nothing is accepted yet.
  /// Errors: what cannot be had: the port, the executor's memory.
  absl::Status Prepare() {
    BATON_RETURN_IF_ERROR(StartHttp());
    BATON_RETURN_IF_ERROR(MakeExecutor());
    parts_.facts.set_http_address(absl::StrFormat("127.0.0.1:%d", http_->port()));
    auto options = Side::Options(config_);
    BATON_ASSIGN_OR_RETURN(
        options.step_prior,
        ProbeStepCost(*executor_, std::min(config_.cache.page_tokens, options.step_tokens_max),
                      [this] { return probed_.try_acquire_for(kFirstStepPatience); }));
    worker_.emplace(parts_.facts, *parts_.arena, *executor_, options);
    engine_.emplace(*worker_);
    return absl::OkStatus();
  }

  /// Registers with the routers and answers. Errors: an endpoint that cannot be had.
  absl::Status Open() {
    transfer_.Start([this](typename Side::Event&& event) {
      Side::ObserveEvent(role_metrics_, event);
      return engine_->Offer(std::move(event));
    });
    BATON_ASSIGN_OR_RETURN(
        links_,
        LinkClient::Start({.endpoints = config_.router.endpoints, .seed = parts_.secret},
                          [this](WorkerLinkEvent&& event) { return TakeLink(std::move(event)); }));
    say_ = seams_.say([this](LinkId link, link::WorkerMessage&& message) {
      links_->Send(link, std::move(message));
    });
    engine_->Start([this](typename Side::Worker& worker) { CarryAway(worker); });
    http_->Start();
    return absl::OkStatus();
  }

  /// Serves until a signal, drains, and takes everything down in order.
  int Serve(Signals& signals) {
    while (!signals.WaitUntil(Now() + kHealthPeriod)) {
      if (engine_->snapshot().broken) return End(1, "the device is lost");
    }
    BATON_INFO("draining: finishing what was accepted");
    draining_.store(true, std::memory_order_relaxed);
    engine_->Drain();
    const Instant deadline = Now() + std::chrono::seconds(config_.server.drain.timeout_seconds);
    while (!(engine_->snapshot().drained && transfer_.settled())) {
      if (signals.WaitUntil(Now() + kWatchPeriod)) return End(1, "second signal");
      if (Now() >= deadline) return End(1, "the drain's time is up");
    }
    return End(0, "drained");
  }

 private:
  static Instant Now() { return std::chrono::steady_clock::now(); }

  absl::Status StartHttp() {
    BATON_ASSIGN_OR_RETURN(
        http_, HttpServer::Listen(
                   {config_.server.worker_host, Side::Knobs(config_).http_port, {}, nullptr}));
    HealthCallbacks health;
    health.alive = [this] { return engine_->alive(); };
    health.not_ready = [this]() -> std::optional<std::string> {
      if (draining_.load(std::memory_order_relaxed)) return "draining";
      if (!routers_.any()) return "no router";
      return std::nullopt;
    };
    health.metrics = [this] {
      const auto snapshot = engine_->snapshot();
      pool_metrics_.Follow(snapshot.ledger);
      role_metrics_.Follow(snapshot.stats, transfer_.stats());
      return metrics_.Expose();
    };
    health.version = kVersion;
    MountHealth(*http_, std::move(health));
    return absl::OkStatus();
  }

  absl::Status MakeExecutor() {
    ModelExecutorOptions options;
    options.threads = ComputeThreads(config_.model);
    options.step_tokens_max = Side::Knobs(config_).step_tokens_max;
    options.sequences_max = Side::Knobs(config_).sequences_max;
    options.step_ready = [this] {
      if (engine_.has_value()) return engine_->StepReady();
      probed_.release();  // before the engine thread exists, the start measures steps
    };
    if constexpr (Side::kRole == link::ROLE_PREFILL) {
      options.layer_done = [this](std::uint64_t step, int layer) {
        if (engine_.has_value())
          transfer_.Push(OutboundLayer{step, static_cast<std::uint32_t>(layer)});
      };
    }
    BATON_ASSIGN_OR_RETURN(auto executor, ModelExecutor::Create(*parts_.model, *parts_.backend,
                                                                *parts_.arena, std::move(options)));
    executor_ = seams_.executor(std::move(executor));
    return absl::OkStatus();
  }

  /// On gRPC's threads.
  bool TakeLink(WorkerLinkEvent&& event) {
    const std::optional<RouterNews> news = NewsOf(event);
    if (!engine_->Offer(std::move(event))) return false;
    if (news.has_value()) routers_.Hear(*news, Now());
    return true;
  }

  /// On the engine thread, after each round.
  void CarryAway(typename Side::Worker& worker) {
    for (auto& command : worker.TakeTransferCommands()) transfer_.Push(std::move(command));
    for (WorkerOutput& output : worker.TakeLinkMessages()) {
      say_(output.link, std::move(output.message));
    }
    for (const auto& handoff : worker.TakeHandoffs()) {
      role_metrics_.Observe(handoff);
      LogIfFailed(handoff);
    }
    for (const auto& step : worker.TakeSteps()) role_metrics_.Observe(step);
  }

  int End(int code, const char* why) {
    BATON_INFO("leaving: %s", why);
    EndWithin(kEndPatience);
    http_->Stop();
    engine_->Stop();  // before the links: it sends through them
    links_.reset();
    executor_.reset();  // waits for the running step; then nothing pushes layers any more
    transfer_.Stop();
    return code;
  }

  const Config& config_;
  const RoleSeams& seams_;
  WorkerParts parts_;
  Metrics metrics_;
  PoolMetrics pool_metrics_;
  typename Side::RoleMetrics role_metrics_;
  typename Side::Transfers transfers_;
  Transfer transfer_;
  std::counting_semaphore<> probed_{0};  // a step that the start measures has ended
  std::unique_ptr<Executor> executor_;
  std::optional<typename Side::Worker> worker_;
  std::optional<Engine> engine_;
  std::unique_ptr<LinkClient> links_;
  WorkerLinkSend say_;
  std::unique_ptr<HttpServer> http_;
  std::atomic<bool> draining_{false};  // relaxed: a flag for health pages
  RouterLinks routers_;
};

template <typename Side>
int RunWorker(const LoadedConfig& loaded, const RoleSeams& seams) {
  Signals signals;
  std::optional<StartWatch> start(std::in_place);
  absl::StatusOr<WorkerParts> parts = MakeWorkerParts(loaded, Side::kRole);
  absl::Status status = parts.status();
  if (status.ok()) {
    parts->transport = seams.transport(std::move(parts->transport), *parts->arena);
    WorkerRole<Side> role(loaded, *std::move(parts), seams);
    status = role.Prepare();
    start.reset();  // from here on a signal waits for Serve: what is accepted is finished
    if (status.ok()) status = role.Open();
    if (status.ok()) return role.Serve(signals);
  }
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int RunPrefill(const LoadedConfig& loaded, const RoleSeams& seams) {
  return RunWorker<PrefillSide>(loaded, seams);
}
int RunDecode(const LoadedConfig& loaded, const RoleSeams& seams) {
  return RunWorker<DecodeSide>(loaded, seams);
}

}  // namespace baton
