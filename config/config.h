// Every knob, once. Filled by config/load.cc from defaults < file < LMCACHE_* < BATON_* < command
// line; plain values afterwards. The table of names, types, help and verdicts is config/keys.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace baton {

struct ModelConfig {
  std::string path = "";  // a Hugging Face directory, or builtin:recall...
  std::vector<std::string> served_names;
  std::string tokenizer = "";
  std::string revision = "";  // stated digest of the weights; empty = computed
  std::string chat_template = "";
  std::string dtype = "auto";   // auto | bfloat16 | float16 | float32
  std::string device = "auto";  // auto | cpu | cuda[:N]
  int length_tokens_max = 0;    // 0 = the checkpoint's
  int tensor_parallel = 1;
  std::uint64_t seed = 0;
  std::string load_format = "auto";  // auto | dummy
  std::string kernels = "auto";      // auto | generic
  std::string exact = "auto";        // auto | true | false
  bool eager = false;
  std::string cpu_isa = "auto";   // auto | amx | avx512_bf16 | avx512 | avx2 | reference
  int cpu_threads = 0;            // 0 = a core each, one spared from 4 up
  std::string cpu_pack = "auto";  // auto | never | always
};

struct PrefetchConfig {
  std::string policy = "timeout";  // timeout | best_effort | wait
  int base_ms = 5;
  int per_ki_token_ms = 2;
  int tokens_min = 256;
};

struct CacheConfig {
  int page_tokens = 64;
  std::uint32_t pages = 0;  // 0 = by memory
  double memory_fraction = 0.90;
  double promised_fraction_max = 0.25;
  double growth_watermark = 0.02;
  std::string key_namespace = "";  // `namespace` in the file
  std::string record_key_file = "";
  std::string write_policy = "write_through_selective";
  std::string disk_admission = "second_hit";
  std::string disk_serde = "naive";
  std::string remote_credentials_file = "";
  bool allow_uncalibrated_fp8 = false;
  PrefetchConfig prefetch;
};

struct TransferConfig {
  std::string host = "127.0.0.1";
  std::string tcp_ports = "7300-7309";
  std::vector<std::string> net_devices;
  std::vector<std::string> transports;  // empty = auto; best first: shm, tcp, rdma
  std::string require_transport = "";
  bool one_sided = false;
  std::string checksum = "all";  // all | sample | off
  int layer_group = 8;
  int overlap_tokens_min = 512;
  int window_ms = 50;
  int lease_ms = 5000;
  int renew_ms = 1000;
  int stall_ms = 30000;
  int keepalive_ms = 1000;
  std::string on_failure = "recompute";  // recompute | fail
};

struct ClassConfig {
  int ttft_ms = 5000;
  int itl_ms = 100;
};

struct DiscoveryConfig {
  std::string type = "static";
  std::string service = "";
  std::vector<std::string> etcd;
  std::string cluster = "baton";
};

struct RetriesConfig {
  int max = 2;
  int backoff_ms = 50;
  double budget = 0.2;
};

struct BreakerConfig {
  int failures = 5;
  int window_seconds = 60;
  int open_seconds = 10;
};

struct RouterConfig {
  std::string host = "0.0.0.0";
  int port = 8000;
  std::string grpc_host = "127.0.0.1";
  int grpc_port = 7500;
  int public_grpc_port = 0;            // 0 = off
  std::vector<std::string> endpoints;  // where workers register
  std::vector<std::string> prefill;    // invitations
  std::vector<std::string> decode;
  std::string policy = "predicted_ttft";
  double temperature = 0;
  double decode_weight = 1;
  int local_prefill_tokens_max = -1;  // -1 = auto
  int backlog_ms_max = 2000;
  int alone_after_ms = 3000;  // 0 = an aggregated cluster
  int lost_worker_wait_ms = 2000;
  int load_report_ms = 100;
  std::map<std::string, ClassConfig> classes = {
      {"interactive", {2000, 50}}, {"standard", {5000, 100}}, {"batch", {30000, 500}}};
  int text_threads = 2;
  std::uint64_t index_bytes_max = 1ULL << 30;
  int index_stride = 1;
  bool fleet_gauges = false;
  int metrics_port = 0;
  std::string cluster_secret_file = "";
  DiscoveryConfig discovery;
  int heartbeat_seconds = 5;
  int worker_ttl_seconds = 15;
  int requests_max = 0;
  int queue_requests_max = 1024;
  int queue_ms_max = 30000;
  int request_seconds_max = 600;
  std::vector<std::string> request_id_headers = {"x-request-id"};
  RetriesConfig retries;
  BreakerConfig breaker;
};

struct WorkerRoleConfig {
  int http_port = 0;
  int grpc_port = 0;
  int step_tokens_max = 0;
  int sequences_max = 0;
  std::string attention = "auto";  // auto | flashmla | flex | reference
};

struct ObservabilityConfig {
  std::string log_level = "info";
  std::string log_format = "text";
  bool log_requests = false;
  std::vector<std::string> metrics_compat = {"vllm", "lmcache"};
  std::map<std::string, std::string> buckets;
  std::string otlp_endpoint = "";
  double trace_sample_ratio = 0.1;
};

struct TlsConfig {
  std::string mode = "auto";
  std::string cert = "";
  std::string key = "";
  std::string ca = "";
};

struct DrainConfig {
  int grace_seconds = 15;
  int timeout_seconds = 120;
};

struct ServerConfig {
  std::string worker_id = "";
  std::string worker_host = "127.0.0.1";
  std::string api_keys_file = "";
  std::vector<std::string> allowed_origins;
  std::string admin_socket = "";
  std::map<std::string, std::int64_t> limits;
  std::string tool_call_parser = "auto";
  std::string reasoning_parser = "none";
  bool trust_request_chat_template = false;
  TlsConfig tls;
  DrainConfig drain;
};

/// LMCache's and the first example's flat keys that have a meaning here.
struct FlatConfig {
  std::string kv_cache_dtype = "auto";  // auto | bf16 | fp16 | fp32 | fp8_e4m3
  bool enable_prefix_caching = true;
  std::uint64_t max_cached_tokens = 0;  // 0 = what the pool leaves
  bool overlap_compute_transfer = true;
  std::optional<bool> enable_pd;
  std::string pd_role = "";           // "", prefill, decode
  std::uint64_t pd_buffer_bytes = 0;  // 0 = auto
  double pd_allocation_timeout_sec = 10;
  int pd_max_prefill_len = 0;
  int chunk_size = 256;
};

struct Config {
  ModelConfig model;
  CacheConfig cache;
  TransferConfig transfer;
  RouterConfig router;
  WorkerRoleConfig prefill{8100, 7100, 8192, 16, "auto"};
  WorkerRoleConfig decode{8200, 7200, 2048, 256, "auto"};
  ObservabilityConfig observability;
  ServerConfig server;
  FlatConfig flat;
};

}  // namespace baton
