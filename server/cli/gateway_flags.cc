// Flags of the router in the spelling of SGLang's gateway.
// Source of the spellings: smg-project/smg, model_gateway/src/main.rs.
#include "server/cli/flag_handlers.h"
#include "server/cli/flag_table.h"

namespace baton {
namespace {

constexpr char kAlwaysOn[] = "prefill and decode are always disaggregated here";
constexpr char kJoint[] = "a prefill and a decode worker are chosen jointly, by --policy";
constexpr char kRegister[] = "workers register themselves (--router, router.endpoints)";

constexpr FlagSpec Knob(absl::string_view name, absl::string_view metavar, absl::string_view path,
                        absl::string_view help) {
  return {name, "", kFronts, Takes::kOne, metavar, &SetKnob, path, "", help};
}
constexpr FlagSpec Warned(absl::string_view name, Takes takes, absl::string_view why) {
  return {name, "", kFronts, takes, "", &WarnOf, "", why, ""};
}

constexpr FlagSpec kFlags[] = {
    {"--pd-disaggregation", "", kFronts, Takes::kNothing, "", &Ignore, "", kAlwaysOn, ""},
    {"--prefill", "", kFronts, Takes::kOneAndPort, "URL", &AppendToKnob, "router.prefill", "",
     "a prefill worker to invite (repeatable)"},
    {"--decode", "", kFronts, Takes::kOneAndPort, "URL", &AppendToKnob, "router.decode", "",
     "a decode worker to invite (repeatable)"},
    Knob("--policy", "NAME", "router.policy",
         "predicted_ttft, cache_aware, power_of_two, round_robin, random"),
    Warned("--prefill-policy", Takes::kOne, kJoint),
    Warned("--decode-policy", Takes::kOne, kJoint),
    Knob("--max-concurrent-requests", "N", "router.requests_max", "requests in flight"),
    Knob("--queue-size", "N", "router.queue_requests_max", "requests that may wait"),
    {"--queue-timeout-secs", "", kFronts, Takes::kOne, "SECONDS", &SetSecondsAsMs,
     "router.queue_ms_max", "", "how long a request may wait"},
    Knob("--request-timeout-secs", "SECONDS", "router.request_seconds_max",
         "a request's whole life"),
    {"--request-id-headers", "", kFronts, Takes::kSome, "NAME", &AppendToKnob,
     "router.request_id_headers", "", "headers that bring a request's id"},
    Knob("--retry-max-retries", "N", "router.retries.max", "how often a request is sent again"),
    Knob("--retry-initial-backoff-ms", "MS", "router.retries.backoff_ms", "wait before the first"),
    {"--disable-retries", "", kFronts, Takes::kNothing, "", &SetKnob, "router.retries.max", "0",
     "send no request again"},
    Knob("--cb-failure-threshold", "N", "router.breaker.failures", "failures that open a breaker"),
    Knob("--cb-window-duration-secs", "SECONDS", "router.breaker.window_seconds", "counted in"),
    Knob("--cb-timeout-duration-secs", "SECONDS", "router.breaker.open_seconds", "open for"),
    Knob("--shutdown-grace-period-secs", "SECONDS", "server.drain.timeout_seconds", ""),
    Knob("--prometheus-port", "PORT", "router.metrics_port", "metrics on a port of their own"),
    Warned("--service-discovery", Takes::kNothing, kRegister),
    Warned("--service-discovery-port", Takes::kOne, kRegister),
    Warned("--service-discovery-namespace", Takes::kOne, kRegister),
    Warned("--selector", Takes::kSome, kRegister),
    Warned("--prefill-selector", Takes::kSome, kRegister),
    Warned("--decode-selector", Takes::kSome, kRegister),
};

}  // namespace

absl::Span<const FlagSpec> GatewayFlags() { return kFlags; }

}  // namespace baton
