// Rows of LMCache's tiers. Source: LMCache, lmcache/v1/config.py at 000620e3, for names, types and
// defaults. The tiers themselves come later: nothing here has an effect yet.
#include "absl/strings/match.h"
#include "config/keys.h"

namespace baton {
namespace {

constexpr Effect kLater = Effect::kLater;

bool IsTierName(absl::string_view text) {
  return text == "LocalCPUBackend" || text == "LocalDiskBackend" || text == "RemoteBackend" ||
         text == "PDBackend";
}
constexpr TextRule kTierName = {"LocalCPUBackend, LocalDiskBackend, RemoteBackend or PDBackend",
                                &IsTierName};

bool IsRemoteUrl(absl::string_view text) {
  if (absl::StrContains(text, "@")) return false;  // user and password come by file
  return absl::StartsWith(text, "redis://") || absl::StartsWith(text, "valkey://") ||
         absl::StartsWith(text, "fs://") || absl::StartsWith(text, "file:///");
}
constexpr TextRule kRemoteUrl = {
    "redis://, valkey://, fs://host:port/path or file:///path, without a password in it "
    "(cache.remote_credentials_file)",
    &IsRemoteUrl};

bool IsDirectoryPlugin(absl::string_view text) {
  return text == "fs" || (absl::StartsWith(text, "fs.") && text.size() > 3);
}
constexpr TextRule kDirectoryPlugin = {"fs or fs.NAME (others are code)", &IsDirectoryPlugin};

constexpr Key kKeys[] = {
    {"chunk_size", Integer(1, 1 << 20, "tokens"), "256",
     "tokens of a page run, the unit of every tier; a multiple of cache.page_tokens",
     At<&Config::flat, &FlatConfig::chunk_size>(), kLater},
    {"local_cpu",
     Boolean(),
     "true",
     "keep runs in host memory; false = a bounce buffer only",
     {},
     kLater},
    {"max_local_cpu_size", Gib(), "5.0", "host memory of one worker", {}, kLater},
    {"reserve_local_cpu_size", Gib(), "0.0", "host memory left free at start", {}, kLater},
    {"local_cpu_use_hugepages", Boolean(), "false", "2 MiB pages for that slab", {}, kLater},
    {"numa_mode", OneOf("auto|manual"), "null", "where that slab lies", {}, kLater},
    {"local_disk",
     OneOrList(),
     "null",
     "directories of the disk tier: a path, file:///path, a list",
     {},
     kLater},
    {"local_disk_path_sharding",
     OneOf("by_gpu|by_hash"),
     "by_gpu",
     "how runs spread over those directories",
     {},
     kLater},
    {"max_local_disk_size", Gib(), "0.0", "physical size of the disk tier", {}, kLater},
    {"remote_url", Text(kRemoteUrl), "null", "the shared tier", {}, kLater},
    {"remote_serde", OneOf("naive|fp8"), "naive", "how runs are stored there", {}, kLater},
    {"remote_storage_plugins",
     OneOrList(kDirectoryPlugin),
     "null",
     "shared directories as a tier; extra_config names them",
     {},
     kLater},
    {"save_decode_cache", Boolean(), "false", "store generated pages too", {}, kLater},
    {"save_unfull_chunk", Boolean(), "false", "store a last run of fewer pages too", {}, kLater},
    {"blocking_timeout_secs", Integer(0, 3600, "s"), "10", "longest wait for a load", {}, kLater},
    {"lookup_timeout_ms",
     Integer(0, 3600000, "ms"),
     "3000",
     "longest wait for a look-up",
     {},
     kLater},
    {"min_retrieve_tokens",
     Integer(0, kIntMax, "tokens"),
     "0",
     "smaller hits are recomputed",
     {},
     kLater},
    {"retrieve_locations", List(kTierName), "null", "tiers that are read; null = all", {}, kLater},
    {"store_location", Text(kTierName), "null", "the tier that is written; null = all", {}, kLater},
    {"priority_limit",
     Integer(-kIntMax, kIntMax, ""),
     "null",
     "store only requests of at most that priority",
     {},
     kLater},
    {"cache_policy",
     OneOf("LRU|LFU|FIFO|MRU|S3FIFO|cost_aware"),
     "LRU",
     "LRU; every other policy runs as LRU",
     {},
     kLater},
    {"cost_aware_half_life_seconds",
     Number(0, 1e9, "s"),
     "60",
     "of the cost-aware policy",
     {},
     kLater},
    {"cost_aware_ewma_alpha", Number(0, 1, ""), "0.2", "of the cost-aware policy", {}, kLater},
    {"pin_timeout_sec",
     Integer(1, kIntMax, "s"),
     "300",
     "a run pinned longer is logged and counted, never released by time",
     {},
     kLater},
    {"pin_check_interval_sec",
     Integer(1, kIntMax, "s"),
     "30",
     "how often that is looked at",
     {},
     kLater},
    {"extra_config",
     Map(MapShape::kAnything),
     "null",
     "use_odirect, fs_connector_*, save_chunk_meta, gpu_to_numa_mapping, histogram_bucket_*, "
     "remote_storage_plugin.*; others warn",
     {},
     kLater},
};

}  // namespace

absl::Span<const Key> LmcacheTierKeys() { return kKeys; }

}  // namespace baton
