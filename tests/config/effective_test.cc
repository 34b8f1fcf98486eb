#include "config/effective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/json.h"
#include "config/keys.h"

namespace baton {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

LoadInputs FileInputs(const std::string& text, Role role = Role::kAny) {
  LoadInputs inputs;
  inputs.role = role;
  inputs.file_name = "f.yaml";
  inputs.file_text = text;
  return inputs;
}

LoadedConfig Good(const LoadInputs& inputs) {
  auto loaded = LoadConfig(inputs);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? *std::move(loaded) : LoadedConfig();
}

TEST(EffectiveTest, EachLineTellsWhoSaidIt) {
  LoadInputs inputs = FileInputs("# a comment\nnixl_role: sender\nchunk_size: 128\n");
  inputs.environment["BATON_ROUTER__PORT"] = "9000";
  inputs.flags = {{"cache.pages", "7", "--num-gpu-blocks-override"}};
  const std::string yaml = EffectiveYaml(Good(inputs));
  EXPECT_THAT(yaml, HasSubstr("pd_role: prefill  # f.yaml:2 nixl_role\n"));
  EXPECT_THAT(yaml, HasSubstr("chunk_size: 128  # f.yaml:3\n"));
  EXPECT_THAT(yaml, HasSubstr("router:\n  host: \"0.0.0.0\"  # default\n  port: 9000  "
                              "# environment BATON_ROUTER__PORT\n"));
  EXPECT_THAT(yaml, HasSubstr("  pages: 7  # --num-gpu-blocks-override\n"));
  EXPECT_THAT(yaml, HasSubstr("  retries:\n    max: 2  # default\n"));
}

TEST(EffectiveTest, KeysThatBecameOthersOrDoNothingAreNotInIt) {
  const std::string yaml =
      EffectiveYaml(Good(FileInputs("pd_proxy_host: 127.0.0.1\nuse_layerwise: true\n")));
  EXPECT_THAT(yaml, Not(HasSubstr("pd_proxy_host:")));
  EXPECT_THAT(yaml, Not(HasSubstr("use_layerwise")));
  EXPECT_THAT(yaml, Not(HasSubstr("api_key:")));
  EXPECT_THAT(yaml, HasSubstr("endpoints: [\"127.0.0.1:7500\"]  # f.yaml:1 pd_proxy_host"));
}

TEST(EffectiveTest, DiffShowsOnlyWhatDiffers) {
  const LoadedConfig before = Good(FileInputs("chunk_size: 128\n"));
  EXPECT_EQ(EffectiveDiff(before, before), "");
  EXPECT_EQ(EffectiveDiff(before, Good(FileInputs("chunk_size: 192\n"))),
            "- chunk_size: 128  # f.yaml:1\n+ chunk_size: 192  # f.yaml:1\n");
}

/// A random configuration's file. Values are drawn from what each key takes; those that would not
/// load together are left to the defaults.
std::string RandomFile(std::mt19937& random) {
  const char* const lines[] = {
      "chunk_size: 640",
      "kv_cache_dtype: fp8",
      "local_cpu: off",
      "max_local_cpu_size: 512MiB",
      "pd_allocation_timeout_sec: .inf",
      "enable_pd: true",
      "pd_buffer_size: 3GiB",
      "local_disk: [/a, 'b: c']\nmax_local_disk_size: 1e2",
      "extra_config: {use_odirect: yes, a.b: [1]}",
      "model: {path: 'true', served_names: ['null', '7', 'a\"b'], exact: off, revision: 017}",
      "router: {local_prefill_tokens_max: 5, classes: {batch: {itl_ms: 9}}, index_bytes_max: 1_0}",
      "transfer: {transports: [tcp, shm], tcp_ports: 7300, require_transport: tcp}",
      "cache: {namespace: ' # x', growth_watermark: 1e-3}",
      "server: {limits: {n: 5}, worker_id: \"tab\\there\"}",
      "observability: {buckets: {a: [.5, 1]}, metrics_compat: []}",
      "priority_limit: -3",
      "pd_proxy_host: localhost",
      "blocking_timeout_secs: 0",
      "retrieve_locations: [PDBackend]"};
  std::string text;
  for (const char* line : lines) {
    if (random() % 2 == 0) absl::StrAppend(&text, line, "\n");
  }
  return text;
}

TEST(EffectiveTest, OutputIsAFileOfEqualEffect) {
  std::mt19937 random(17);
  for (int round = 0; round < 60; ++round) {
    const LoadedConfig first = Good(FileInputs(RandomFile(random)));
    const LoadedConfig from_yaml = Good(FileInputs(EffectiveYaml(first)));
    EXPECT_EQ(EffectiveDiff(first, from_yaml), "");
    const LoadedConfig from_json = Good(FileInputs(EffectiveJson(first)));
    EXPECT_EQ(EffectiveDiff(first, from_json), "");
  }
}

TEST(EffectiveTest, JsonIsNestedAsTheYaml) {
  const auto json = ParseJson(EffectiveJson(Good(FileInputs("router: {port: 5}\n"))));
  ASSERT_TRUE(json.ok()) << json.status();
  const JsonValue* const router = json->AsObject()->Find("router");
  ASSERT_NE(router, nullptr);
  EXPECT_EQ(WriteYamlValue(*router->AsObject()->Find("port")), "5");
  EXPECT_NE(router->AsObject()->Find("retries")->AsObject()->Find("budget"), nullptr);
  EXPECT_NE(json->AsObject()->Find("chunk_size"), nullptr);
}

}  // namespace
}  // namespace baton
