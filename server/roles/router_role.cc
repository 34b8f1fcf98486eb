#include "server/roles/router_role.h"

#include <cstdio>
#include <string>

#include "base/log.h"
#include "base/status.h"
#include "config/model_name.h"
#include "server/admin/health_routes.h"
#include "server/http/http_metrics.h"
#include "server/http/http_server.h"
#include "server/openai/api_handlers.h"
#include "server/public_service.h"
#include "server/roles/random_start.h"
#include "server/roles/route_thread.h"
#include "server/roles/router_metrics.h"
#include "server/roles/signals.h"
#include "server/text/chat_format.h"
#include "server/text/tokenizer.h"
#include "server/version.h"

namespace baton {
namespace {

constexpr Duration kWatchPeriod = Milliseconds(20);  // how often a drain looks
constexpr Duration kFarewell = Milliseconds(500);    // for the last error to reach clients
constexpr Duration kHealthPeriod = Milliseconds(50);
constexpr int kTokenIdsMax = 1 << 21;  // no vocabulary reaches it

/// One more than the highest id that stands for text; 0 when the model has token ids alone.
int IdsWithText(const Tokenizer& tokenizer) {
  int ids = 0;
  for (int id = 0; id < kTokenIdsMax; ++id) {
    if (!tokenizer.BytesOf(id).empty()) ids = id + 1;
  }
  return ids;
}

RouterOptions OptionsFrom(const Config& config, const Tokenizer& tokenizer) {
  RouterOptions options = RouterOptionsFrom(config);
  options.model.name = ModelNameOf(config.model.path);
  options.model.ids_with_text = IdsWithText(tokenizer);
  options.model.own_tokenizer = config.model.tokenizer.empty();
  options.seed = RandomNonZero();
  options.incarnation = RandomNonZero();
  options.introduction_secret = RandomBytes(32);
  return options;
}

class RouterRole {
 public:
  RouterRole(const LoadedConfig& loaded, std::unique_ptr<Tokenizer> tokenizer)
      : config_(loaded.config),
        metrics_({{"model_name", config_.model.path}, {"engine", "0"}}),
        router_metrics_(metrics_),
        tokenizer_(std::move(tokenizer)),
        route_(OptionsFrom(config_, *tokenizer_), metrics_) {
    metrics_.Gauge(metric::kBuildInfo, {{"version", kVersion}, {"backend", "none"}}).Set(1);
  }

  /// Errors: Unavailable when a port is taken; InvalidArgument for an address that may not be used.
  absl::Status Start() {
    BATON_ASSIGN_OR_RETURN(chat_, ChatFormat::Load(config_.model, config_.server));
    HttpServerOptions http{config_.router.host, config_.router.port, {}, CountAnswers(metrics_)};
    BATON_ASSIGN_OR_RETURN(http_, HttpServer::Listen(std::move(http)));
    BATON_ASSIGN_OR_RETURN(links_, LinkService::Start({.host = config_.router.grpc_host,
                                                       .port = config_.router.grpc_port,
                                                       .links_max = 1024},
                                                      route_.Sink()));
    MountHealth(*http_, Health());
    ApiOptions api;
    api.served_names = config_.model.served_names;
    api.chat = &*chat_;
    api.cluster_secret = RandomBytes(32);  // one for both doors: their salts must agree
    api.text_threads = config_.router.text_threads;
    api.request_time_max = std::chrono::seconds(config_.router.request_seconds_max);
    api_.emplace(*http_, route_, *tokenizer_, metrics_, api);
    if (config_.router.public_grpc_port != 0) {
      PublicService::Options grpc;
      grpc.host = config_.router.host;
      grpc.port = config_.router.public_grpc_port;
      grpc.api = std::move(api);
      BATON_ASSIGN_OR_RETURN(
          public_, PublicService::Start(grpc, route_, *tokenizer_, api_->texts(), metrics_));
      http_->Every(kHealthPeriod, [this](Instant) { public_->SetReady(ReadyNow()); });
    }
    route_.Start(*links_);
    http_->Start();
    BATON_INFO("listening on http %s:%d, workers register at %s:%d", config_.router.host,
               http_->port(), config_.router.grpc_host, links_->port());
    return absl::OkStatus();
  }

  int Serve(Signals& signals) {
    while (!signals.WaitUntil(Instant::max())) {
    }
    BATON_INFO("draining: finishing what was accepted");
    draining_.store(true, std::memory_order_relaxed);
    if (public_ != nullptr) public_->SetReady(false);
    const DrainConfig& drain = config_.server.drain;
    if (signals.WaitUntil(Now() + std::chrono::seconds(drain.grace_seconds)))
      return End(1, "second signal", signals);
    route_.StartDrain();
    http_->StopAccepting();
    const Instant deadline = Now() + std::chrono::seconds(drain.timeout_seconds);
    while (!route_.drained() || http_->exchanges_open() > 0) {
      if (signals.WaitUntil(Now() + kWatchPeriod)) return End(1, "second signal", signals);
      if (Now() >= deadline) return End(1, "the drain's time is up", signals);
    }
    return End(0, "drained", signals);
  }

 private:
  static Instant Now() { return std::chrono::steady_clock::now(); }

  HealthCallbacks Health() {
    HealthCallbacks health;
    health.alive = [this] { return route_.alive(); };
    health.not_ready = [this]() -> std::optional<std::string> {
      if (draining_.load(std::memory_order_relaxed)) return "draining";
      if (!route_.ready()) return "no ready pair of workers";
      return std::nullopt;
    };
    health.metrics = [this] {
      router_metrics_.Follow(route_.stats());
      return metrics_.Expose();
    };
    health.version = kVersion;
    return health;
  }

  bool ReadyNow() const { return !draining_.load(std::memory_order_relaxed) && route_.ready(); }

  /// What still runs is cut off; its clients hear so, unless they do not read.
  int End(int code, const char* why, Signals& signals) {
    BATON_INFO("leaving: %s", why);
    if (http_->exchanges_open() > 0) {
      api_->EndCalls();
      const Instant deadline = Now() + kFarewell;
      while (http_->exchanges_open() > 0 && Now() < deadline) {
        if (signals.WaitUntil(Now() + kWatchPeriod)) break;
      }
    }
    EndWithin(kEndPatience);
    http_->Stop();
    if (public_ != nullptr) public_->Stop();
    route_.Stop();  // before the links: it sends through them
    links_.reset();
    return code;
  }

  const Config& config_;
  Metrics metrics_;
  RouterMetrics router_metrics_;
  const std::unique_ptr<Tokenizer> tokenizer_;
  std::optional<ChatFormat> chat_;
  RouteThread route_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<LinkService> links_;
  std::optional<ApiHandlers> api_;
  std::unique_ptr<PublicService> public_;  // null: switched off
  std::atomic<bool> draining_{false};      // relaxed: a flag for health pages
};

}  // namespace

int RunRouter(const LoadedConfig& loaded) {
  Signals signals;
  std::optional<StartWatch> start(std::in_place);
  absl::StatusOr<std::unique_ptr<Tokenizer>> tokenizer = MakeTokenizer(loaded.config.model);
  absl::Status status = tokenizer.status();
  if (status.ok()) {
    RouterRole role(loaded, *std::move(tokenizer));
    start.reset();  // from here on a signal waits for Serve: what is accepted is finished
    status = role.Start();
    if (status.ok()) return role.Serve(signals);
  }
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace baton
