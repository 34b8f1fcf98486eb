// Rows of `model:` and `cache:`.
#include "config/keys.h"
#include "config/text_rules.h"

namespace baton {
namespace {

constexpr Effect kLater = Effect::kLater;

template <auto kMember>
constexpr Landing Model() {
  return At<&Config::model, kMember>();
}
template <auto kMember>
constexpr Landing Cache() {
  return At<&Config::cache, kMember>();
}

constexpr Key kModelKeys[] = {
    {"model.path", Text(), "null", "a Hugging Face directory, or builtin:recall and its variants",
     Model<&ModelConfig::path>()},
    {"model.served_names", List(), "[]", "names the API answers to; none = the path's last part",
     Model<&ModelConfig::served_names>()},
    {"model.tokenizer", Text(), "null", "a directory with tokenizer.json; null = the model's own",
     Model<&ModelConfig::tokenizer>()},
    {"model.revision", Text(), "null", "stated digest of the weights; null = computed at start",
     Model<&ModelConfig::revision>()},
    {"model.chat_template", Text(), "null", "a template file; null = the model's own",
     Model<&ModelConfig::chat_template>()},
    {"model.dtype", OneOf("auto|bfloat16=bf16|float16=fp16=half|float32=fp32=float"), "auto",
     "type of activations; auto = the checkpoint's", Model<&ModelConfig::dtype>()},
    {"model.device", Text(kDevice), "auto", "auto, cpu, cuda or cuda:N; also where KV pages live",
     Model<&ModelConfig::device>()},
    {"model.length_tokens_max", Integer(0, kIntMax, "tokens"), "0",
     "longest prompt and answer together; 0 = the checkpoint's",
     Model<&ModelConfig::length_tokens_max>()},
    {"model.tensor_parallel", Integer(1, kIntMax, "devices"), "1",
     "devices that share one model; more than 1 is refused until it is supported",
     Model<&ModelConfig::tensor_parallel>()},
    {"model.seed", Integer(0, std::numeric_limits<std::int64_t>::max(), ""), "0",
     "seed of requests that bring none, and of dummy weights", Model<&ModelConfig::seed>()},
    {"model.load_format", OneOf("auto=safetensors|dummy"), "auto",
     "auto = from the path; dummy = random weights, for benchmarks",
     Model<&ModelConfig::load_format>()},
    {"model.kernels", OneOf("auto|generic"), "auto", "cuda: auto or the generic kernels",
     Model<&ModelConfig::kernels>(), kLater},
    {"model.exact", OneOf("auto|true=yes=on|false=no=off"), "auto",
     "one form of each sum and peers of equal kernels only; auto = on for cpu, off for cuda",
     Model<&ModelConfig::exact>()},
    {"model.eager", Boolean(), "false", "cuda: record no graphs", Model<&ModelConfig::eager>(),
     kLater},
    {"model.cpu_isa", OneOf("auto|amx|avx512_bf16|avx512|avx2|reference"), "auto",
     "highest instruction set to use; reference = the plain loops that define correct",
     Model<&ModelConfig::cpu_isa>()},
    {"model.cpu_threads", Integer(0, 1024, "threads"), "0",
     "threads of the arithmetic; 0 = a core each, one spared from 4 up",
     Model<&ModelConfig::cpu_threads>()},
    {"model.cpu_pack", OneOf("auto|never|always"), "auto",
     "whether weights are laid out again for the instruction set", Model<&ModelConfig::cpu_pack>(),
     kLater},
};

constexpr Key kCacheKeys[] = {
    {"cache.page_tokens", Integer(1, 4096, "tokens"), "64", "tokens of a page; peers must agree",
     Cache<&CacheConfig::page_tokens>()},
    {"cache.pages", Integer(0, kIntMax, "pages"), "0",
     "pages of a worker; 0 = a quarter of the machine's memory, shared by its workers",
     Cache<&CacheConfig::pages>()},
    {"cache.memory_fraction", Number(0, 1, ""), "0.90",
     "of what weights leave free on a device; with cache.pages 0, cuda only",
     Cache<&CacheConfig::memory_fraction>(), kLater},
    {"cache.promised_fraction_max", Number(0, 1, "of the pool"), "0.25",
     "pages promised to hand-offs that have not landed yet",
     Cache<&CacheConfig::promised_fraction_max>()},
    {"cache.growth_watermark", Number(0, 1, "of the pool"), "0.02",
     "pages kept free for sequences that run", Cache<&CacheConfig::growth_watermark>()},
    {"cache.namespace", Text(), "\"\"", "text in every page key's seed: parts caches on purpose",
     Cache<&CacheConfig::key_namespace>()},
    {"cache.record_key_file", Text(), "null",
     "sealing of tier records: a key's file, or fresh = a new key each start",
     Cache<&CacheConfig::record_key_file>(), kLater},
    {"cache.write_policy", OneOf("write_through_selective|write_through|write_back"),
     "write_through_selective", "when pages go to the host tier",
     Cache<&CacheConfig::write_policy>(), kLater},
    {"cache.disk_admission", OneOf("second_hit|always|never"), "second_hit",
     "which runs go to disk", Cache<&CacheConfig::disk_admission>(), kLater},
    {"cache.disk_serde", OneOf("naive|fp8"), "naive", "how runs are stored on disk",
     Cache<&CacheConfig::disk_serde>(), kLater},
    {"cache.remote_credentials_file", Text(), "null", "user and password of the remote tier",
     Cache<&CacheConfig::remote_credentials_file>(), kLater},
    {"cache.allow_uncalibrated_fp8", Boolean(), "false",
     "fp8 pages for models whose checkpoint brings no scales",
     Cache<&CacheConfig::allow_uncalibrated_fp8>(), kLater},
    {"cache.prefetch.policy", OneOf("timeout|best_effort|wait"), "timeout",
     "how long a request waits for its pages from a tier",
     At<&Config::cache, &CacheConfig::prefetch, &PrefetchConfig::policy>(), kLater},
    {"cache.prefetch.base_ms", Integer(0, kIntMax, "ms"), "5", "that wait's fixed part",
     At<&Config::cache, &CacheConfig::prefetch, &PrefetchConfig::base_ms>(), kLater},
    {"cache.prefetch.per_ki_token_ms", Integer(0, kIntMax, "ms"), "2",
     "that wait's part for each 1024 tokens",
     At<&Config::cache, &CacheConfig::prefetch, &PrefetchConfig::per_ki_token_ms>(), kLater},
    {"cache.prefetch.tokens_min", Integer(0, kIntMax, "tokens"), "256",
     "shorter hits are not fetched ahead",
     At<&Config::cache, &CacheConfig::prefetch, &PrefetchConfig::tokens_min>(), kLater},
};

}  // namespace

absl::Span<const Key> ModelKeys() { return kModelKeys; }
absl::Span<const Key> CacheKeys() { return kCacheKeys; }

}  // namespace baton
