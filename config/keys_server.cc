// Rows of `observability:` and `server:`.
#include "config/keys.h"
#include "config/text_rules.h"

namespace baton {
namespace {

constexpr Effect kNow = Effect::kNow;
constexpr Effect kLater = Effect::kLater;

template <auto... kMembers>
constexpr Landing Seen() {
  return At<&Config::observability, kMembers...>();
}
template <auto... kMembers>
constexpr Landing Server() {
  return At<&Config::server, kMembers...>();
}

bool IsMetricsFamily(absl::string_view text) { return text == "vllm" || text == "lmcache"; }
constexpr TextRule kMetricsFamily = {"vllm, lmcache", &IsMetricsFamily};

constexpr Key kServerKeys[] = {
    {"observability.log_level", OneOf("debug|info|warn=warning|error"), "info",
     "lowest level that is written", Seen<&ObservabilityConfig::log_level>()},
    {"observability.log_format", OneOf("text|json"), "text", "lines for people or for machines",
     Seen<&ObservabilityConfig::log_format>()},
    {"observability.log_requests", Boolean(), "false", "a line a request at info",
     Seen<&ObservabilityConfig::log_requests>(), kLater},
    {"observability.metrics_compat", List(kMetricsFamily), "[vllm, lmcache]",
     "metric families of the neighbours to show beside our own",
     Seen<&ObservabilityConfig::metrics_compat>(), kLater},
    {"observability.buckets", Map(MapShape::kLists), "{}", "histogram bounds by metric",
     Seen<&ObservabilityConfig::buckets>(), kLater},
    {"observability.otlp_endpoint", Text(), "null", "where traces go",
     Seen<&ObservabilityConfig::otlp_endpoint>(), kLater},
    {"observability.trace_sample_ratio", Number(0, 1, ""), "0.1", "share of requests traced",
     Seen<&ObservabilityConfig::trace_sample_ratio>(), kLater},
    {"server.worker_id", Text(), "null", "the worker's name; null = made at start",
     Server<&ServerConfig::worker_id>()},
    {"server.worker_host", Text(kHost), "127.0.0.1",
     "a worker's HTTP and gRPC address; off loopback is refused until internal TLS exists",
     Server<&ServerConfig::worker_host>()},
    {"server.api_key",
     Text(),
     "null",
     "this version checks no API keys; put a proxy that does in front of router.port",
     {},
     kNow,
     Verdict::kRefuse,
     true},
    {"server.api_keys_file", Text(), "null",
     "this version checks no API keys; put a proxy that does in front of router.port",
     Server<&ServerConfig::api_keys_file>(), kNow, Verdict::kRefuse},
    {"server.allowed_origins", List(), "[]", "origins that browsers may call from",
     Server<&ServerConfig::allowed_origins>(), kLater},
    {"server.admin_socket", Text(), "null", "Unix socket for drain, log level and state",
     Server<&ServerConfig::admin_socket>(), kLater},
    {"server.limits", Map(MapShape::kIntegers), "{}", "limits on requests by name",
     Server<&ServerConfig::limits>(), kLater},
    {"server.tool_call_parser", OneOf("auto|deepseek_v3|llama3_json|hermes|none"), "auto",
     "how tool calls are read from an answer; auto = by the model's architecture",
     Server<&ServerConfig::tool_call_parser>()},
    {"server.reasoning_parser", OneOf("none|think"), "none",
     "how reasoning is parted from an answer; think = what stands before </think>",
     Server<&ServerConfig::reasoning_parser>()},
    {"server.trust_request_chat_template", Boolean(), "false", "take chat templates from requests",
     Server<&ServerConfig::trust_request_chat_template>(), kLater},
    {"server.tls.mode", OneOf("auto|off"), "auto",
     "auto = off where every internal address is loopback, mutual TLS elsewhere",
     Server<&ServerConfig::tls, &TlsConfig::mode>()},
    {"server.tls.cert", Text(), "null",
     "this version speaks no TLS; put a proxy that does in front of router.port",
     Server<&ServerConfig::tls, &TlsConfig::cert>(), kNow, Verdict::kRefuse},
    {"server.tls.key", Text(), "null",
     "this version speaks no TLS; put a proxy that does in front of router.port",
     Server<&ServerConfig::tls, &TlsConfig::key>(), kNow, Verdict::kRefuse},
    {"server.tls.ca", Text(), "null",
     "this version speaks no TLS; put a proxy that does in front of router.port",
     Server<&ServerConfig::tls, &TlsConfig::ca>(), kNow, Verdict::kRefuse},
    {"server.drain.grace_seconds", Integer(0, 3600, "s"), "15",
     "still accepting after the first signal, until balancers have noticed",
     Server<&ServerConfig::drain, &DrainConfig::grace_seconds>()},
    {"server.drain.timeout_seconds", Integer(1, 86400, "s"), "120",
     "longest wait for what runs; the rest is handed back",
     Server<&ServerConfig::drain, &DrainConfig::timeout_seconds>()},
};

}  // namespace

absl::Span<const Key> ServerKeys() { return kServerKeys; }

}  // namespace baton
