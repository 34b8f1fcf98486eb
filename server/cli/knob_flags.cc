// Flags that set knobs, in vLLM's spelling where vLLM has one.
// Source of the spellings: vLLM, vllm/engine/arg_utils.py and vllm/entrypoints/openai/cli_args.py.
#include "server/cli/flag_handlers.h"
#include "server/cli/flag_table.h"

namespace baton {
namespace {

constexpr unsigned kShared = kWorkers | In(Subcommand::kUp);  // where steps run

/// A flag with one value for one knob.
constexpr FlagSpec Knob(absl::string_view name, unsigned where, absl::string_view metavar,
                        absl::string_view path, absl::string_view help) {
  return {name, "", where, Takes::kOne, metavar, &SetKnob, path, "", help};
}

/// A switch that sets one knob to one value.
constexpr FlagSpec Switch(absl::string_view name, unsigned where, absl::string_view path,
                          absl::string_view value, absl::string_view help) {
  return {name, "", where, Takes::kNothing, "", &SetKnob, path, value, help};
}

constexpr FlagSpec kFlags[] = {
    {"--model", "--model-path", kModels, Takes::kOne, "MODEL", &SetModel, "", "",
     "the model, as the positional MODEL: a directory or builtin:recall"},
    Knob("--tokenizer", kModels, "DIR", "model.tokenizer", "tokenizer, where not the model's own"),
    Knob("--revision", kModels, "TEXT", "model.revision", "stated digest of the weights"),
    {"--served-model-name", "", kModels, Takes::kOne, "NAME", &AppendToKnob, "model.served_names",
     "", "a name the API answers to (repeatable)"},
    Knob("--dtype", kModels, "TYPE", "model.dtype", "auto, bfloat16, float16, float32"),
    {"--max-model-len", "", kModels, Takes::kOne, "TOKENS", &SetTokens, "model.length_tokens_max",
     "", "longest prompt and answer together: 4096, 32k, 32K"},
    Knob("--seed", kRoles, "N", "model.seed", "seed of requests that bring none"),
    Knob("--chat-template", kModels, "FILE", "model.chat_template", "chat template file"),
    Knob("--load-format", kModels, "FORMAT", "model.load_format", "auto, or dummy: random weights"),
    Switch("--enforce-eager", kModels, "model.eager", "true", "cuda: record no graphs"),
    {"--tensor-parallel-size", "-tp", kModels, Takes::kOne, "N", &SetKnob, "model.tensor_parallel",
     "", "devices that share one model"},
    Knob("--device", kModels, "DEVICE", "model.device", "auto, cpu, cuda, cuda:N"),
    Knob("--tool-call-parser", kFronts, "NAME", "server.tool_call_parser",
         "how tool calls are read"),
    Knob("--reasoning-parser", kFronts, "NAME", "server.reasoning_parser", "how reasoning is read"),
    Switch("--trust-request-chat-template", kFronts, "server.trust_request_chat_template", "true",
           "take chat templates from requests"),
    Switch("--no-trust-request-chat-template", kFronts, "server.trust_request_chat_template",
           "false", ""),
    {"--host", "", kRoles, Takes::kOne, "HOST", &SetListenHost, "", "", "where HTTP listens"},
    {"--port", "", kRoles, Takes::kOne, "PORT", &SetListenPort, "", "", "HTTP port; 0 = any free"},
    {"--router", "", kWorkers, Takes::kOne, "HOST:PORT", &AppendToKnob, "router.endpoints", "",
     "a router to register with (repeatable)"},
    Knob("--ssl-keyfile", kRoles, "FILE", "server.tls.key", ""),
    Knob("--ssl-certfile", kRoles, "FILE", "server.tls.cert", ""),
    Knob("--ssl-ca-certs", kRoles, "FILE", "server.tls.ca", ""),
    Switch("--insecure", kRoles, "server.tls.mode", "off",
           "no TLS between roles, on loopback only"),
    Knob("--allowed-origins", kFronts, "JSON", "server.allowed_origins", "origins of browsers"),
    Knob("--api-key", kRoles, "KEY", "server.api_key", ""),
    Knob("--api-key-file", kRoles, "FILE", "server.api_keys_file", ""),
    Knob("--max-num-seqs", kShared, "N", "ROLE.sequences_max", "sequences of one step"),
    Knob("--max-num-batched-tokens", kShared, "N", "ROLE.step_tokens_max", "tokens of one step"),
    Knob("--kv-cache-dtype", kModels, "TYPE", "kv_cache_dtype", "type of KV pages"),
    Knob("--block-size", kModels, "TOKENS", "cache.page_tokens", "tokens of a page"),
    Knob("--gpu-memory-utilization", kShared, "FRACTION", "cache.memory_fraction",
         "of device memory, for pages"),
    Knob("--num-gpu-blocks-override", kModels, "N", "cache.pages", "pages of a worker"),
    Switch("--enable-prefix-caching", kRoles, "enable_prefix_caching", "true", ""),
    Switch("--no-enable-prefix-caching", kRoles, "enable_prefix_caching", "false",
           "no page is ever found again"),
    Knob("--prefix-caching-hash-algo", kRoles, "NAME", "pre_caching_hash_algorithm", ""),
    {"--kv-transfer-config", "", kRoles, Takes::kOne, "JSON", &SetKvTransfer, "", "",
     "kv_role, kv_buffer_size, kv_buffer_device, engine_id, ... of vLLM"},
    Knob("--kv-offloading-size", kShared, "GIB", "max_local_cpu_size", "host memory tier"),
    Knob("--disaggregation-mode", kWorkers, "ROLE", "pd_role", ""),
    {"--disaggregation-ib-device", "", kWorkers, Takes::kOne, "DEVICE", &AppendToKnob,
     "transfer.net_devices", "", ""},
    Knob("--disaggregation-transfer-backend", kWorkers, "NAME", "transfer_channel", ""),
    Knob("--shutdown-timeout", kRoles, "SECONDS", "server.drain.timeout_seconds",
         "longest wait for what runs, after SIGTERM"),
    Knob("--otlp-traces-endpoint", kRoles, "URL", "observability.otlp_endpoint", "where traces go"),
    Switch("--enable-log-requests", kRoles, "observability.log_requests", "true",
           "a log line a request"),
    Switch("--disable-log-requests", kRoles, "observability.log_requests", "false", ""),
    Switch("--no-enable-log-requests", kRoles, "observability.log_requests", "false", ""),
    Knob("--log-level", kModels, "LEVEL", "observability.log_level", "debug, info, warn, error"),
    Knob("--custom-histogram-buckets", kRoles, "JSON", "observability.buckets",
         "histogram bounds by metric"),
};

}  // namespace

absl::Span<const FlagSpec> KnobFlags() { return kFlags; }

}  // namespace baton
