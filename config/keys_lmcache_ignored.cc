// Rows of LMCache's keys that have no counterpart here: ignored, or warned about where they are
// set. Source: LMCache, lmcache/v1/config.py at 000620e3.
#include "config/keys.h"
#include "config/text_rules.h"

namespace baton {
namespace {

constexpr ValueType kWhole = Integer(-kIntMax, kIntMax, "");
constexpr ValueType kReal = Number(0, kNoLimit, "");

constexpr Key Ignored(absl::string_view path, ValueType type, absl::string_view default_text,
                      absl::string_view help) {
  return {path, type, default_text, help, {}, Effect::kNow, Verdict::kIgnore};
}
constexpr Key Warned(absl::string_view path, ValueType type, absl::string_view default_text,
                     absl::string_view help) {
  return {path, type, default_text, help, {}, Effect::kNow, Verdict::kWarn};
}

constexpr char kOneHash[] = "any value means our chained SHA-256";
constexpr char kNoPort[] = "nothing dials that port";
constexpr char kDrain[] = "server.drain governs shutdown";
constexpr char kPipelined[] = "tier loads are always pipelined";
constexpr char kNoGrowth[] = "memory that grows with load is banned here";
constexpr char kPlumbing[] = "plumbing of Python, vLLM and the ZMQ controller";
constexpr char kController[] = "the router is the controller";
constexpr char kNotYet[] = "not supported yet: workers do not pull from each other";
constexpr char kGds[] = "GPUDirect storage and CXL are not supported";

constexpr Key kKeys[] = {
    Ignored("pre_caching_hash_algorithm", Text(), "builtin", kOneHash),
    Ignored("pd_peer_alloc_port", OneOrList(kPort), "null", kNoPort),
    Ignored("pd_peer_query_port", OneOrList(kPort), "null", kNoPort),
    Ignored("pd_backend_mode", Text(), "async", kPipelined),
    Ignored("pd_skip_proxy_notification", Boolean(), "false", kPlumbing),
    Ignored("pd_shutdown_timeout_sec", kReal, "5", kDrain),
    Ignored("pd_condition_poll_interval_sec", kReal, "0.005", "nothing polls"),
    Ignored("use_layerwise", Boolean(), "false", kPipelined),
    Ignored("enable_async_loading", Boolean(), "false", kPipelined),
    Ignored("enable_kv_events", Boolean(), "false", "events are always on"),
    Ignored("enable_lazy_memory_allocator", Boolean(), "false", kNoGrowth),
    Ignored("lazy_memory_initial_ratio", kReal, "0.2", kNoGrowth),
    Ignored("lazy_memory_expand_trigger_ratio", kReal, "0.5", kNoGrowth),
    Ignored("lazy_memory_step_ratio", kReal, "0.1", kNoGrowth),
    Ignored("lazy_memory_safe_size", kReal, "0", kNoGrowth),
    Ignored("controller_pull_url", Text(), "null", kController),
    Ignored("controller_reply_url", Text(), "null", kController),
    Ignored("lmcache_worker_ports", OneOrList(kPort), "null", kController),
    Ignored("lmcache_worker_ids", OneOrList(), "null", kController),
    Ignored("lmcache_worker_heartbeat_delay_time", kWhole, "10", kController),
    Ignored("internal_api_server_include_index_list", OneOrList(), "null", kPlumbing),
    Ignored("internal_api_server_socket_path_prefix", Text(), "null", kPlumbing),
    Ignored("external_lookup_client", Text(), "null", kPlumbing),
    Ignored("hit_miss_ratio", kReal, "null", kPlumbing),
    Ignored("lookup_server_worker_ids", OneOrList(), "null", kPlumbing),
    Ignored("enable_scheduler_bypass_lookup", Boolean(), "false", kPlumbing),
    Ignored("mp_host", Text(), "null", kPlumbing),
    Ignored("mp_port", kWhole, "5555", kPlumbing),
    Ignored("use_gpu_connector_v3", Boolean(), "false", kPlumbing),
    Ignored("py_enable_gc", Boolean(), "true", kPlumbing),
    Ignored("audit_actual_remote_url", Text(), "null", kPlumbing),
    Ignored("enable_chunk_statistics", Boolean(), "false", kPlumbing),
    Ignored("chunk_statistics_auto_start_statistics", Boolean(), "false", kPlumbing),
    Ignored("chunk_statistics_auto_exit_timeout_hours", kReal, "0", kPlumbing),
    Ignored("chunk_statistics_auto_exit_target_unique_chunks", kWhole, "0", kPlumbing),
    Ignored("chunk_statistics_strategy", Text(), "memory_bloom_filter", kPlumbing),
    Ignored("nixl_enable_gc", Boolean(), "false", kPlumbing),
    Ignored("lookup_url", Text(), "null", kPlumbing),
    Ignored("distributed_url", Text(), "null", kPlumbing),
    Ignored("error_handling", Boolean(), "false", kPlumbing),
    Ignored("cufile_buffer_size", Bytes(), "null", kGds),
    Ignored("weka_path", Text(), "null", kGds),
    Ignored("config_version", Text(), "null", kPlumbing),
    Ignored("blend_recompute_ratio", kReal, "null", "blending is off"),
    Warned("enable_controller", Boolean(), "false", kController),
    Warned("enable_p2p", Boolean(), "false", kNotYet),
    Warned("p2p_host", Text(), "null", kNotYet),
    Warned("p2p_init_ports", OneOrList(kPort), "null", kNotYet),
    Warned("p2p_lookup_ports", OneOrList(kPort), "null", kNotYet),
    Warned("pd_bidirectional", Boolean(), "false", "not supported yet: decode sends nothing back"),
    Warned("gds_path", Text(), "null", kGds),
    Warned("gds_path_sharding", Text(), "by_gpu", kGds),
    Warned("gds_buffer_size", Bytes(), "null", kGds),
    Warned("gds_backend", Text(), "cufile", kGds),
    Warned("use_gds", Boolean(), "true", kGds),
    Warned("maru_path", Text(), "null", kGds),
    Warned("maru_pool_size", Gib(), "4.0", kGds),
};

}  // namespace

absl::Span<const Key> LmcacheIgnoredKeys() { return kKeys; }

}  // namespace baton
