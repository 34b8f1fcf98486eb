#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

LoadInputs FileInputs(const std::string& text, Role role = Role::kAny) {
  LoadInputs inputs;
  inputs.role = role;
  inputs.file_name = "baton.yaml";
  inputs.file_text = text;
  return inputs;
}

/// The message of a configuration that must not load.
std::string Errors(const LoadInputs& inputs) {
  const auto loaded = LoadConfig(inputs);
  EXPECT_FALSE(loaded.ok()) << inputs.file_text;
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(loaded.status().message());
}

std::string Errors(const std::string& text, Role role = Role::kAny) {
  return Errors(FileInputs(text, role));
}

LoadedConfig Good(const LoadInputs& inputs) {
  auto loaded = LoadConfig(inputs);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? *std::move(loaded) : LoadedConfig();
}

std::vector<std::string> NoticesOf(const LoadedConfig& loaded) {
  std::vector<std::string> texts;
  for (const Notice& notice : loaded.notices) texts.push_back(notice.text);
  return texts;
}

TEST(LoadTest, EveryErrorOfAFileIsToldAtOnceWithItsLine) {
  const std::string errors = Errors(
      "model: {device: gpu}\n"
      "router:\n"
      "  prot: 8000\n"
      "  grpc_port: 'x'\n"
      "chunk_sise: 256\n"
      "router: {}\n"
      "local_cpu: 1\n");
  EXPECT_EQ(errors,
            "baton.yaml:6: the key 'router' stands twice; keep one\n"
            "baton.yaml:3: router.prot: expected a known key; did you mean router.port\n"
            "baton.yaml:5: chunk_sise: expected a known key; did you mean chunk_size\n"
            "baton.yaml:1: model.device: expected auto, cpu, cuda or cuda:N, got 'gpu'\n"
            "baton.yaml:4: router.grpc_port: expected an integer from 0 to 65535 (port), got the "
            "quoted text 'x'\n"
            "baton.yaml:7: local_cpu: expected true or false, got '1'");
}

TEST(LoadTest, KeyOfAnotherSectionIsSuggestedByItsLastPart) {
  EXPECT_THAT(Errors("port: 1\n"), HasSubstr("did you mean router.port"));
  EXPECT_THAT(Errors("router: {page_tokens: 64}\n"), HasSubstr("did you mean cache.page_tokens"));
  EXPECT_THAT(Errors("rooter: {port: 1}\n"), HasSubstr("did you mean router"));
  EXPECT_THAT(Errors("zzzzzzzzzz: 1\n"), Not(HasSubstr("did you mean")));
}

TEST(LoadTest, SectionThatIsNoMapIsAnError) {
  EXPECT_THAT(Errors("router: 5\n"), HasSubstr("router: expected a section of keys, got '5'"));
  EXPECT_THAT(Errors("- a\n"), HasSubstr("expected keys and values, got a list"));
  EXPECT_TRUE(LoadConfig(FileInputs("router:\n")).ok());
  EXPECT_TRUE(LoadConfig(FileInputs("")).ok());
}

TEST(LoadTest, LenientTurnsUnknownKeysAloneIntoWarnings) {
  LoadInputs inputs = FileInputs("chunk_sise: 1\n");
  inputs.lenient = true;
  EXPECT_THAT(NoticesOf(Good(inputs)),
              ElementsAre("baton.yaml:1: chunk_sise: ignored: expected a known key; did you mean "
                          "chunk_size"));
  inputs.file_text = "chunk_sise: 1\nchunk_size: x\n";
  EXPECT_THAT(Errors(inputs), HasSubstr("baton.yaml:2: chunk_size: expected"));
}

TEST(LoadTest, StrongerSourceWins) {
  LoadInputs inputs = FileInputs("chunk_size: 128\n");
  EXPECT_EQ(Good(FileInputs("")).config.flat.chunk_size, 256);
  EXPECT_EQ(Good(inputs).config.flat.chunk_size, 128);
  inputs.environment["LMCACHE_CHUNK_SIZE"] = "192";
  EXPECT_EQ(Good(inputs).config.flat.chunk_size, 192);
  inputs.environment["BATON_CHUNK_SIZE"] = "320";
  EXPECT_EQ(Good(inputs).config.flat.chunk_size, 320);
  inputs.flags = {{"chunk_size", "384", "--set chunk_size"}};
  EXPECT_EQ(Good(inputs).config.flat.chunk_size, 384);
  inputs.flags.push_back({"chunk_size", "448", "--set chunk_size"});
  const LoadedConfig loaded = Good(inputs);
  EXPECT_EQ(loaded.config.flat.chunk_size, 448);
  EXPECT_EQ(loaded.origins.at("chunk_size").kind, Origin::Kind::kFlag);
}

TEST(LoadTest, WrongValueOfAWeakerSourceIsStillAnError) {
  LoadInputs inputs = FileInputs("chunk_size: x\n");
  inputs.flags = {{"chunk_size", "384", "--set chunk_size"}};
  EXPECT_THAT(Errors(inputs), HasSubstr("baton.yaml:1: chunk_size"));
}

TEST(LoadTest, NullMeansTheDefault) {
  LoadInputs inputs = FileInputs("chunk_size: NULL\nlocal_cpu: ~\nremote_serde:\n");
  const LoadedConfig loaded = Good(inputs);
  EXPECT_EQ(loaded.config.flat.chunk_size, 256);
  EXPECT_EQ(loaded.values.at("remote_serde"), "naive");
  inputs.file_text = "chunk_size: 128\n";
  inputs.environment["BATON_CHUNK_SIZE"] = "";
  EXPECT_EQ(Good(inputs).config.flat.chunk_size, 256);
}

TEST(LoadTest, KubernetesServiceLinkWarnsAndIsNotRead) {
  LoadInputs inputs;
  inputs.environment["BATON_ROUTER_PORT"] = "tcp://10.0.0.1:8000";
  const LoadedConfig loaded = Good(inputs);
  EXPECT_EQ(loaded.config.router.port, 8000);
  ASSERT_EQ(loaded.notices.size(), 1u);
  EXPECT_EQ(loaded.notices[0].severity, Notice::Severity::kWarn);
  EXPECT_THAT(loaded.notices[0].text, HasSubstr("enableServiceLinks"));
  inputs.environment = {{"BATON_ROUTER__PORT", "tcp://10.0.0.1:8000"}};
  EXPECT_THAT(Errors(inputs), HasSubstr("environment BATON_ROUTER__PORT: "));
}

TEST(LoadTest, EnvironmentTakesListsByCommasMapsAsJsonAndDigitsAsBooleans) {
  LoadInputs inputs;
  inputs.environment = {
      {"BATON_TRANSFER__TRANSPORTS", "shm, tcp"},
      {"BATON_ROUTER__REQUEST_ID_HEADERS", "[\"x-a\",\"x-b\"]"},
      {"BATON_ROUTER__CLASSES", "{\"batch\":{\"ttft_ms\":7}}"},
      {"LMCACHE_LOCAL_CPU", "0"},
      {"LMCACHE_LMCACHE_INSTANCE_ID", "worker-a"},
  };
  const LoadedConfig loaded = Good(inputs);
  EXPECT_THAT(loaded.config.transfer.transports, ElementsAre("shm", "tcp"));
  EXPECT_THAT(loaded.config.router.request_id_headers, ElementsAre("x-a", "x-b"));
  EXPECT_EQ(loaded.config.router.classes.at("batch").ttft_ms, 7);
  EXPECT_EQ(loaded.values.at("local_cpu"), "false");
  EXPECT_EQ(loaded.config.server.worker_id, "worker-a");
}

TEST(LoadTest, UnknownLmcacheVariableWarnsAndABadValueFails) {
  LoadInputs inputs;
  inputs.environment["LMCACHE_USE_EXPERIMENTAL"] = "True";
  EXPECT_EQ(Good(inputs).notices.size(), 1u);
  inputs.environment["LMCACHE_CHUNK_SIZE"] = "many";
  EXPECT_THAT(Errors(inputs), HasSubstr("environment LMCACHE_CHUNK_SIZE: chunk_size: expected"));
}

TEST(LoadTest, ConfigFileIsNamedByTheFirstVariableThatIsSet) {
  EXPECT_EQ(ConfigFileFromEnvironment({}), "");
  EXPECT_EQ(ConfigFileFromEnvironment({{"LMCACHE_CONFIG_FILE", "l"}}), "l");
  EXPECT_EQ(ConfigFileFromEnvironment({{"LMCACHE_CONFIG_FILE", "l"}, {"BATON_CONFIG_FILE", "b"}}),
            "b");
}

TEST(LoadTest, OldAndNewNameMayAgreeAndMayNotDiffer) {
  const LoadedConfig loaded = Good(FileInputs("nixl_role: sender\npd_role: kv_producer\n"));
  EXPECT_EQ(loaded.config.flat.pd_role, "prefill");
  EXPECT_THAT(NoticesOf(loaded), Contains("baton.yaml:1: nixl_role is deprecated, use pd_role"));
  EXPECT_THAT(Errors("nixl_role: sender\npd_role: receiver\n"),
              HasSubstr("baton.yaml:2: pd_role: says something else than nixl_role at "
                        "baton.yaml:1"));
  EXPECT_THAT(Errors("pd_buffer_device: cpu\nmodel: {device: auto}\n"),
              HasSubstr("both mean model.device"));
}

TEST(LoadTest, StrongerSourceMayOverrideAnAlias) {
  LoadInputs inputs = FileInputs("nixl_role: sender\n");
  inputs.environment["BATON_PD_ROLE"] = "decode";
  EXPECT_EQ(Good(inputs).config.flat.pd_role, "decode");
}

TEST(LoadTest, IgnoredKeysAndKeysWithoutEffectYetHaveALineEach) {
  const LoadedConfig loaded = Good(FileInputs(
      "use_layerwise: true\nlocal_cpu: false\nrouter: {discovery: {type: etcd}}\nmp_port: 1\n"));
  EXPECT_THAT(NoticesOf(loaded), ElementsAre("ignored keys: use_layerwise, mp_port",
                                             "no effect yet: router.discovery.type, local_cpu"));
}

TEST(LoadTest, KeyAtItsDefaultIsNotReportedAsWithoutEffect) {
  EXPECT_THAT(NoticesOf(Good(FileInputs("local_cpu: true\nenable_p2p: false\n"))), IsEmpty());
}

TEST(LoadTest, WarnedKeyWarnsAndRefusedKeyFailsAwayFromItsDefault) {
  EXPECT_THAT(NoticesOf(Good(FileInputs("enable_p2p: true\n"))),
              ElementsAre(HasSubstr("baton.yaml:1: enable_p2p: ignored")));
  EXPECT_THAT(Errors("enable_blending: true\n"), HasSubstr("enable_blending: refused: "));
  EXPECT_TRUE(LoadConfig(FileInputs("enable_blending: false\n")).ok());
  EXPECT_THAT(Errors("ec_anything: x\n"), HasSubstr("refused"));
}

TEST(LoadTest, ApiKeyIsRefusedAndNeverShown) {
  LoadInputs inputs;
  inputs.environment["BATON_API_KEY"] = "sk-canary";
  EXPECT_THAT(Errors(inputs), HasSubstr("server.api_key: refused"));
  EXPECT_THAT(Errors(inputs), Not(HasSubstr("canary")));
  inputs.environment["BATON_API_KEY"] = "[sk-canary]";
  EXPECT_THAT(Errors(inputs), Not(HasSubstr("canary")));
}

TEST(LoadTest, FlagTakesASectionAsAMap) {
  LoadInputs inputs;
  inputs.flags = {{"router", "{port: 1, retries: {max: 3}}", "--set router"}};
  const LoadedConfig loaded = Good(inputs);
  EXPECT_EQ(loaded.config.router.port, 1);
  EXPECT_EQ(loaded.config.router.retries.max, 3);
  inputs.flags = {{"router.prot", "1", "--set router.prot"}};
  EXPECT_THAT(Errors(inputs), HasSubstr("--set router.prot: router.prot: expected a known key"));
}

TEST(LoadTest, NonsenseOfAMegabyteIsToldBriefly) {
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += "nonsense_" + std::to_string(i) + ": 1\n";
  const std::string errors = Errors(text);
  EXPECT_LT(std::count(errors.begin(), errors.end(), '\n'), 250);
  EXPECT_THAT(errors, HasSubstr("further errors are left out"));
}

}  // namespace
}  // namespace baton
