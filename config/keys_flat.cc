// Rows of the flat keys of this dialect's first example, and of LMCache's prefill/decode.
#include "config/keys.h"
#include "config/text_rules.h"

namespace baton {
namespace {

constexpr Effect kNow = Effect::kNow;
constexpr Effect kLater = Effect::kLater;
constexpr Verdict kMap = Verdict::kMap;

template <auto kMember>
constexpr Landing Flat() {
  return At<&Config::flat, kMember>();
}

bool IsUcx(absl::string_view text) { return text == "UCX" || text == "ucx"; }
constexpr TextRule kUcx = {"UCX, the one engine here", &IsUcx};

constexpr Key kFirstExampleKeys[] = {
    {"kv_cache_dtype",
     OneOf("auto|bf16=bfloat16|fp16=float16=half|fp32=float32|fp8_e4m3=fp8=fp8_ds_mla"), "auto",
     "type of KV pages; auto = the model's; part of layout and namespace",
     Flat<&FlatConfig::kv_cache_dtype>()},
    {"enable_prefix_caching", Boolean(), "true", "false: no page is ever found again",
     Flat<&FlatConfig::enable_prefix_caching>()},
    {"max_cached_tokens", Integer(0, 1LL << 53, "tokens"), "0",
     "most tokens in idle pages of a worker; 0 = what the pool leaves",
     Flat<&FlatConfig::max_cached_tokens>()},
    {"overlap_compute_transfer", Boolean(), "true", "false: send after the whole prompt",
     Flat<&FlatConfig::overlap_compute_transfer>()},
    {"use_flashmla",
     OneOf("auto|true=yes=on|false=no=off"),
     "auto",
     "true = decode.attention: flashmla",
     {},
     kNow,
     kMap},
    {"use_flexdecoding",
     OneOf("auto|true=yes=on|false=no=off"),
     "auto",
     "true = decode.attention: flex",
     {},
     kNow,
     kMap},
};

constexpr Key kLmcachePdKeys[] = {
    {"enable_pd", Boolean(), "null", "a worker role implies true; an explicit false is an error",
     Flat<&FlatConfig::enable_pd>()},
    {"pd_role", OneOf("prefill=sender=kv_producer|decode=receiver=kv_consumer"), "null",
     "must agree with the command line", Flat<&FlatConfig::pd_role>()},
    {"pd_buffer_size", Bytes(), "null",
     "bytes in flight of one worker; 0 = auto, 256 MiB; never bounds a request",
     Flat<&FlatConfig::pd_buffer_bytes>()},
    {"pd_buffer_device",
     Text(kDevice),
     "null",
     "where KV pages live = model.device",
     {},
     kNow,
     kMap},
    {"nixl_buffer_size",
     Bytes(),
     "null",
     "pd_buffer_size; beside keys named pd_* it is LMCache's storage staging, and ignored",
     {},
     kNow,
     kMap},
    {"nixl_buffer_device",
     Text(kDevice),
     "null",
     "pd_buffer_device; beside keys named pd_* it is LMCache's storage staging, and ignored",
     {},
     kNow,
     kMap},
    {"pd_peer_host",
     Text(kHost),
     "null",
     "decode: transfer.host; prefill: a hint, for the router names the peer",
     {},
     kNow,
     kMap},
    {"pd_peer_init_port",
     OneOrList(kPort),
     "null",
     "decode: transfer.tcp_ports; a list: one a worker of the machine",
     {},
     kNow,
     kMap},
    {"pd_proxy_host", Text(kHost), "null", "appended to router.endpoints", {}, kNow, kMap},
    {"pd_proxy_port", Integer(1, 65535, "port"), "null", "its port; null = 7500", {}, kNow, kMap},
    {"pd_allocation_timeout_sec", Number(0, kNoLimit, "s"), "10",
     "longest wait for a grant; .inf = the request's own deadline",
     Flat<&FlatConfig::pd_allocation_timeout_sec>()},
    {"pd_max_prefill_len", Integer(0, kIntMax, "tokens"), "0",
     "start fails unless the decode pool holds a prompt of so many",
     Flat<&FlatConfig::pd_max_prefill_len>(), kLater},
    {"transfer_channel",
     OneOf("ucx=nixl|shm|tcp"),
     "null",
     "ucx = transfer.transports: auto; shm, tcp pin it",
     {},
     kNow,
     kMap},
    {"nixl_backends", OneOrList(kUcx), "null", "only UCX: nothing to choose", {}, kNow, kMap},
    {"lmcache_instance_id", Text(), "null", "server.worker_id", {}, kNow, kMap},
    {"lmcache_worker_heartbeat_time",
     Integer(1, 3600, "s"),
     "null",
     "router.heartbeat_seconds",
     {},
     kNow,
     kMap},
    {"internal_api_server_enabled",
     Boolean(),
     "false",
     "true: the two keys below are a worker's HTTP address",
     {},
     kNow,
     kMap},
    {"internal_api_server_host", Text(kHost), "0.0.0.0", "server.worker_host", {}, kNow, kMap},
    {"internal_api_server_port_start",
     Integer(1, 65535, "port"),
     "6999",
     "the role's http_port",
     {},
     kNow,
     kMap},
};

}  // namespace

absl::Span<const Key> FirstExampleKeys() { return kFirstExampleKeys; }
absl::Span<const Key> LmcachePdKeys() { return kLmcachePdKeys; }

}  // namespace baton
