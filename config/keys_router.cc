// Rows of `router:`.
#include "config/keys.h"
#include "config/text_rules.h"

namespace baton {
namespace {

constexpr Effect kLater = Effect::kLater;

template <auto... kMembers>
constexpr Landing Router() {
  return At<&Config::router, kMembers...>();
}

constexpr char kPolicies[] =
    "predicted_ttft|cache_aware=prefixaware=kvaware|power_of_two|round_robin|random";

constexpr Key kRouterKeys[] = {
    {"router.host", Text(kHost), "0.0.0.0", "where the API listens", Router<&RouterConfig::host>()},
    {"router.port", Integer(0, 65535, "port"), "8000", "the API's port; 0 = any free",
     Router<&RouterConfig::port>()},
    {"router.grpc_host", Text(kHost), "127.0.0.1",
     "where workers register; off loopback is refused until internal TLS exists",
     Router<&RouterConfig::grpc_host>()},
    {"router.grpc_port", Integer(0, 65535, "port"), "7500", "where workers register; 0 = any free",
     Router<&RouterConfig::grpc_port>()},
    {"router.public_grpc_port", Integer(0, 65535, "port"), "0",
     "baton.v1.Inference for clients; 0 = off", Router<&RouterConfig::public_grpc_port>()},
    {"router.endpoints", List(kAddress), "[]", "workers: the routers to register with",
     Router<&RouterConfig::endpoints>()},
    {"router.prefill", List(kWorkerUrl), "[]",
     "prefill workers to invite; they dial back and register as ever",
     Router<&RouterConfig::prefill>(), kLater},
    {"router.decode", List(kWorkerUrl), "[]", "decode workers to invite",
     Router<&RouterConfig::decode>(), kLater},
    {"router.policy", OneOf(kPolicies), "predicted_ttft",
     "how a pair is chosen; the others exist for comparison", Router<&RouterConfig::policy>()},
    {"router.temperature", Number(0, 100, ""), "0", "chance in the choice of equal pairs",
     Router<&RouterConfig::temperature>(), kLater},
    {"router.decode_weight", Number(0, 1000, ""), "1",
     "weight of decode load against time to first token", Router<&RouterConfig::decode_weight>()},
    {"router.local_prefill_tokens_max", IntegerOr("auto", 0, "tokens"), "auto",
     "longest prompt rest that a decode worker computes itself; auto = by prediction",
     Router<&RouterConfig::local_prefill_tokens_max>()},
    {"router.backlog_ms_max", Integer(1, kIntMax, "ms"), "2000",
     "work that one worker may have waiting", Router<&RouterConfig::backlog_ms_max>()},
    {"router.alone_after_ms", Integer(0, 3600000, "ms"), "3000",
     "how long a decode worker waits for a prefill worker before it runs prompts itself; 0 = at "
     "once: an aggregated cluster",
     Router<&RouterConfig::alone_after_ms>()},
    {"router.lost_worker_wait_ms", Integer(0, 3600000, "ms"), "2000",
     "how long a request that has begun waits when the last worker of a role is lost; `baton up` "
     "that restarts workers says 10000",
     Router<&RouterConfig::lost_worker_wait_ms>()},
    {"router.load_report_ms", Integer(1, 60000, "ms"), "100", "how often workers report load",
     Router<&RouterConfig::load_report_ms>()},
    {"router.classes", Map(MapShape::kClasses),
     "{interactive: {ttft_ms: 2000, itl_ms: 50}, standard: {ttft_ms: 5000, itl_ms: 100}, "
     "batch: {ttft_ms: 30000, itl_ms: 500}}",
     "latency budgets by class of request", Router<&RouterConfig::classes>(), kLater},
    {"router.text_threads", Integer(1, 256, "threads"), "2", "threads that tokenize",
     Router<&RouterConfig::text_threads>()},
    {"router.index_bytes_max", Bytes(), "1GiB", "memory of the index of who holds which page",
     Router<&RouterConfig::index_bytes_max>()},
    {"router.index_stride", Integer(1, 1024, "pages"), "1",
     "the index keeps one page of so many, rounded up to a power of two; grows at index_bytes_max",
     Router<&RouterConfig::index_stride>()},
    {"router.fleet_gauges", Boolean(), "false",
     "load gauges of the whole fleet on the router, for endpoint pickers",
     Router<&RouterConfig::fleet_gauges>(), kLater},
    {"router.metrics_port", Integer(0, 65535, "port"), "0",
     "metrics on a port of their own; 0 = on the API's", Router<&RouterConfig::metrics_port>(),
     kLater},
    {"router.cluster_secret_file", Text(), "null", "secret that routers of one cluster share",
     Router<&RouterConfig::cluster_secret_file>(), kLater},
    {"router.discovery.type", OneOf("static|kubernetes|etcd"), "static",
     "where the list of routers comes from",
     Router<&RouterConfig::discovery, &DiscoveryConfig::type>(), kLater},
    {"router.discovery.service", Text(), "null", "kubernetes: the Service whose slices are watched",
     Router<&RouterConfig::discovery, &DiscoveryConfig::service>(), kLater},
    {"router.discovery.etcd", List(kAddress), "[]", "etcd: its addresses",
     Router<&RouterConfig::discovery, &DiscoveryConfig::etcd>(), kLater},
    {"router.discovery.cluster", Text(), "baton", "etcd: the name the routers stand under",
     Router<&RouterConfig::discovery, &DiscoveryConfig::cluster>(), kLater},
    {"router.heartbeat_seconds", Integer(1, 3600, "s"), "5", "how often a worker says it lives",
     Router<&RouterConfig::heartbeat_seconds>()},
    {"router.worker_ttl_seconds", Integer(1, 3600, "s"), "15",
     "a worker silent for so long is lost", Router<&RouterConfig::worker_ttl_seconds>()},
    {"router.requests_max", Integer(0, kIntMax, "requests"), "0",
     "requests in flight, more are told 503; 0 = 4096", Router<&RouterConfig::requests_max>()},
    {"router.queue_requests_max", Integer(1, kIntMax, "requests"), "1024",
     "requests that may wait for a worker; more are told 503",
     Router<&RouterConfig::queue_requests_max>()},
    {"router.queue_ms_max", Integer(1, kIntMax, "ms"), "30000", "how long a request may wait",
     Router<&RouterConfig::queue_ms_max>()},
    {"router.request_seconds_max", Integer(1, 86400, "s"), "600", "a request's whole life",
     Router<&RouterConfig::request_seconds_max>()},
    {"router.request_id_headers", List(), "[x-request-id]",
     "headers that bring a request's id, first found wins",
     Router<&RouterConfig::request_id_headers>(), kLater},
    {"router.retries.max", Integer(0, 16, "times"), "2", "how often a request is sent again",
     Router<&RouterConfig::retries, &RetriesConfig::max>()},
    {"router.retries.backoff_ms", Integer(0, 60000, "ms"), "50", "wait before the first retry",
     Router<&RouterConfig::retries, &RetriesConfig::backoff_ms>()},
    {"router.retries.budget", Number(0, 1, "of requests"), "0.2",
     "share of requests that may be retries",
     Router<&RouterConfig::retries, &RetriesConfig::budget>(), kLater},
    {"router.breaker.failures", Integer(1, kIntMax, "failures"), "5",
     "failures that open a worker's breaker",
     Router<&RouterConfig::breaker, &BreakerConfig::failures>(), kLater},
    {"router.breaker.window_seconds", Integer(1, 3600, "s"), "60", "the window they are counted in",
     Router<&RouterConfig::breaker, &BreakerConfig::window_seconds>(), kLater},
    {"router.breaker.open_seconds", Integer(1, 3600, "s"), "10", "how long it stays open",
     Router<&RouterConfig::breaker, &BreakerConfig::open_seconds>(), kLater},
};

}  // namespace

absl::Span<const Key> RouterKeys() { return kRouterKeys; }

}  // namespace baton
