// The command lines of the neighbours' prefill/decode guides parse, and their knobs load.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "server/cli/flags.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Guide {
  const char* name;
  const char* line;  // arguments parted by '|', since JSON holds blanks
  const char* path;  // a knob that must come out so
  const char* value;
};

constexpr Guide kGuides[] = {
    {"VllmNixlPrefill",
     "prefill|Qwen/Qwen3-0.6B|--port|8100|--enforce-eager|--kv-transfer-config|"
     R"({"kv_connector":"NixlConnector","kv_role":"kv_both","kv_load_failure_policy":"fail"})",
     "transfer.on_failure", "fail"},
    {"VllmP2pPrefill",
     "prefill|--model|base_model|--host|127.0.0.1|--port|20001|--tensor-parallel-size|1|--seed|"
     "1024|"
     "--served-model-name|base_model|--dtype|float16|--max-model-len|10000|"
     "--max-num-batched-tokens|10000|--max-num-seqs|256|--gpu-memory-utilization|0.9|"
     "--kv-transfer-config|"
     R"({"kv_connector":"P2pNcclConnector","kv_role":"kv_producer","kv_buffer_size":"1e1",)"
     R"("kv_port":"21001","kv_connector_extra_config":{"proxy_ip":"10.0.1.1","http_port":"20001"}})",
     "pd_role", "prefill"},
    {"VllmP2pDecode",
     "decode|--model|base_model|--port|20002|--kv-transfer-config|"
     R"({"kv_connector":"P2pNcclConnector","kv_role":"kv_consumer","kv_buffer_size":"8e9"})",
     "pd_buffer_size", "8000000000"},
    {"VllmLmcacheDecode",
     "decode|meta-llama/Llama-3.1-8B-Instruct|--port|7200|--disable-log-requests|--enforce-eager|"
     "--kv-transfer-config|"
     R"({"kv_connector":"LMCacheConnectorV1","kv_role":"kv_consumer","kv_connector_extra_config":)"
     R"({"discard_partial_chunks":false,"lmcache_rpc_port":"consumer1"}})",
     "decode.http_port", "7200"},
    {"VllmLeaseSeconds",
     R"(decode|m|--kv-transfer-config|{"kv_connector_extra_config":{"kv_lease_duration":7.5}})",
     "transfer.lease_ms", "7500"},
    {"SglangPrefillServer",
     "prefill|--model-path|meta-llama/Llama-3.1-8B-Instruct|--disaggregation-mode|prefill|--port|"
     "30000|--disaggregation-transfer-backend|nixl",
     "prefill.http_port", "30000"},
    {"SglangRouter",
     "router|--pd-disaggregation|--prefill|http://127.0.0.1:30000|--decode|http://127.0.0.1:30001|"
     "--host|0.0.0.0|--port|8000",
     "router.prefill", "[\"http://127.0.0.1:30000\"]"},
    {"SglangRouterWithBootstrapPorts",
     "router|--pd-disaggregation|--prefill|http://127.0.0.1:8001|9001|--prefill|"
     "http://127.0.0.1:8002|none|--decode|http://127.0.0.1:8011|--policy|cache_aware|"
     "--prefill-policy|cache_aware|--decode-policy|power_of_two|--queue-timeout-secs|60|"
     "--request-id-headers|x-a|x-b|--disable-retries",
     "router.queue_ms_max", "60000"},
};

class GuidesTest : public ::testing::TestWithParam<Guide> {};

TEST_P(GuidesTest, CommandLineParsesAndLoads) {
  const std::vector<std::string> args = absl::StrSplit(GetParam().line, '|');
  const auto line = ParseCommandLine(args);
  ASSERT_TRUE(line.ok()) << line.status();
  LoadInputs inputs;
  inputs.role = RoleOf(line->subcommand);
  inputs.flags = line->settings;
  const auto loaded = LoadConfig(inputs);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->values.at(GetParam().path), GetParam().value);
}

INSTANTIATE_TEST_SUITE_P(All, GuidesTest, ::testing::ValuesIn(kGuides),
                         [](const auto& instance) { return instance.param.name; });

TEST(GuidesDetailTest, RepeatedFlagsGrowOneListAndNeighboursPlumbingIsNamed) {
  const std::vector<std::string> args = absl::StrSplit(kGuides[std::size(kGuides) - 1].line, '|');
  const auto line = ParseCommandLine(args);
  ASSERT_TRUE(line.ok()) << line.status();
  LoadInputs inputs;
  inputs.flags = line->settings;
  const auto loaded = LoadConfig(inputs);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_THAT(loaded->config.router.prefill,
              ElementsAre("http://127.0.0.1:8001", "http://127.0.0.1:8002"));
  EXPECT_THAT(loaded->config.router.request_id_headers, ElementsAre("x-a", "x-b"));
  EXPECT_EQ(loaded->config.router.retries.max, 0);
  ASSERT_EQ(line->notices.size(), 3u);
  EXPECT_THAT(line->notices[1].text, HasSubstr("--prefill-policy: ignored: "));
}

TEST(GuidesDetailTest, KvTransferConfigThatIsNoJsonObjectIsAnError) {
  for (const char* value : {"[]", "{", "kv_producer"}) {
    const std::vector<std::string> args = {"decode", "--kv-transfer-config", value};
    EXPECT_FALSE(ParseCommandLine(args).ok()) << value;
  }
}

}  // namespace
}  // namespace baton
