#include "server/cli/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Args = std::vector<std::string>;

CommandLine Good(const Args& args) {
  auto line = ParseCommandLine(args);
  EXPECT_TRUE(line.ok()) << line.status();
  return line.ok() ? *std::move(line) : CommandLine();
}

std::string Errors(const Args& args) {
  const auto line = ParseCommandLine(args);
  EXPECT_FALSE(line.ok());
  return std::string(line.status().message());
}

/// "path=value" of every knob that is set.
std::vector<std::string> Knobs(const CommandLine& line) {
  std::vector<std::string> knobs;
  for (const FlagSetting& setting : line.settings) {
    knobs.push_back(setting.path + "=" + setting.value);
  }
  return knobs;
}

TEST(FlagsTest, ASelftestDrivesOrListens) {
  EXPECT_EQ(Good({"selftest", "--peer", "127.0.0.1:7390"}).selftest.peer, "127.0.0.1:7390");
  EXPECT_EQ(Good({"selftest", "--listen", "0"}).selftest.listen_port, 0);
  EXPECT_EQ(Good({"selftest"}).selftest.listen_port, -1);
  EXPECT_EQ(Errors({"selftest", "--listen", "1", "--peer", "h:1"}),
            "expected one of --peer and --listen");
  EXPECT_THAT(Errors({"selftest", "--listen", "65536"}), HasSubstr("from 0 to 65535"));
  EXPECT_THAT(Errors({"decode", "--listen", "1"}), HasSubstr("does not take it"));
}

TEST(FlagsTest, UnknownFlagIsAnErrorWithTheNearestName) {
  EXPECT_EQ(Errors({"decode", "--prot", "1"}), "--prot: unknown flag; did you mean --port");
  EXPECT_EQ(Errors({"check-config", "f", "--prot", "1"}).find('\n'), std::string::npos);
  EXPECT_THAT(Errors({"rooter"}), HasSubstr("got 'rooter'; did you mean router"));
}

TEST(FlagsTest, FlagOfAnotherSubcommandIsAnErrorThatSaysSo) {
  EXPECT_EQ(Errors({"router", "--prefill-workers", "2", "m"}),
            "--prefill-workers: baton router does not take it\nunexpected argument 'm'");
}

TEST(FlagsTest, EveryErrorOfALineIsToldAtOnce) {
  EXPECT_EQ(Errors({"up", "--prefill-workers", "x", "--decode-workers=0", "--set", "nothing"}),
            "--prefill-workers: expected an integer from 0 to 64, got 'x'\n"
            "--decode-workers: expected an integer from 1 to 64, got '0'\n"
            "--set: expected path=value such as router.port=8000, got 'nothing'");
}

TEST(FlagsTest, MissingOrSurplusValueIsAnError) {
  EXPECT_EQ(Errors({"decode", "--port"}), "--port: expected a value (PORT)");
  EXPECT_EQ(Errors({"decode", "--port", "--seed", "1"}), "--port: expected a value (PORT)");
  EXPECT_EQ(Errors({"up", "--no-restart=yes"}), "--no-restart: expected no value, got 'yes'");
  EXPECT_EQ(Errors({"up", "--port="}), "--port: expected a value (PORT)");
}

TEST(FlagsTest, DashesAndUnderscoresAreOneFlagAndValuesStayAsTheyAre) {
  const CommandLine line = Good({"decode", "--max_num_seqs", "8", "--served_model_name=my_model"});
  EXPECT_THAT(Knobs(line),
              ElementsAre("decode.sequences_max=8", "model.served_names=[\"my_model\"]"));
  EXPECT_EQ(line.settings[0].spelling, "--max-num-seqs");
}

TEST(FlagsTest, ModelIsPositionalOrAFlagAndNeverBoth) {
  EXPECT_THAT(Knobs(Good({"up", "builtin:recall"})), ElementsAre("model.path=\"builtin:recall\""));
  EXPECT_THAT(Knobs(Good({"up", "--model", "/m"})), ElementsAre("model.path=\"/m\""));
  EXPECT_THAT(Errors({"up", "/m", "--model", "/n"}), HasSubstr("named twice"));
  EXPECT_THAT(Errors({"up", "/m", "/n"}), HasSubstr("unexpected argument '/n'"));
}

TEST(FlagsTest, PortAndHostAreThoseOfTheRolesHttp) {
  EXPECT_THAT(Knobs(Good({"router", "--port", "1"})), ElementsAre("router.port=1"));
  EXPECT_THAT(Knobs(Good({"up", "--port", "1"})), ElementsAre("router.port=1"));
  EXPECT_THAT(Knobs(Good({"prefill", "--port", "1"})), ElementsAre("prefill.http_port=1"));
  EXPECT_THAT(Knobs(Good({"decode", "--host", "127.0.0.2"})),
              ElementsAre("server.worker_host=\"127.0.0.2\""));
}

TEST(FlagsTest, SetTakesAYamlValueForAnyKnob) {
  const CommandLine line = Good({"up", "--set", "transfer.transports=[tcp]"});
  EXPECT_THAT(Knobs(line), ElementsAre("transfer.transports=[tcp]"));
  EXPECT_EQ(line.settings[0].spelling, "--set transfer.transports");
}

TEST(FlagsTest, LengthsTakeDecimalAndBinaryThousands) {
  EXPECT_THAT(Knobs(Good({"up", "--max-model-len", "32k"})),
              ElementsAre("model.length_tokens_max=32000"));
  EXPECT_THAT(Knobs(Good({"up", "--max-model-len", "1.5K"})),
              ElementsAre("model.length_tokens_max=1536"));
  EXPECT_THAT(Errors({"up", "--max-model-len", "long"}), HasSubstr("32k (32,000)"));
}

TEST(FlagsTest, UpTakesItsOptions) {
  const CommandLine line = Good({"up", "--prefill-workers", "0", "--decode-workers", "3",
                                 "--no-restart", "--config", "f.yaml"});
  EXPECT_EQ(line.subcommand, Subcommand::kUp);
  EXPECT_EQ(line.up.prefill_workers, 0);
  EXPECT_EQ(line.up.decode_workers, 3);
  EXPECT_FALSE(line.up.restart);
  EXPECT_EQ(line.config_file, "f.yaml");
}

TEST(FlagsTest, GenerateTakesExactlyOnePrompt) {
  EXPECT_THAT(Errors({"generate"}), HasSubstr("expected one of --prompt and --prompt-ids"));
  EXPECT_THAT(Errors({"generate", "--prompt", "a", "--prompt-ids", "1"}), HasSubstr("one of"));
  EXPECT_THAT(Errors({"generate", "--prompt-ids", "1,x"}), HasSubstr("got 'x'"));
  const CommandLine line =
      Good({"generate", "builtin:recall", "--prompt-ids", "1,2,3", "--max-tokens", "5", "--seed",
            "7", "--temperature", "0.5", "--logprobs", "2", "--json"});
  EXPECT_THAT(*line.generate.prompt_ids, ElementsAre(1, 2, 3));
  EXPECT_EQ(line.generate.tokens_max, 5);
  EXPECT_EQ(line.generate.seed, 7u);
  EXPECT_EQ(line.generate.temperature, 0.5);
  EXPECT_EQ(line.generate.logprobs, 2);
  EXPECT_TRUE(line.generate.json);
  EXPECT_EQ(Good({"generate", "--prompt", "-- dashed"}).generate.prompt, "-- dashed");
  EXPECT_EQ(Good({"generate", "--prompt-ids", "@ids"}).generate.prompt_ids_file, "ids");
}

TEST(FlagsTest, SeedIsTheModelsForRolesAndTheSamplersForGenerate) {
  EXPECT_THAT(Knobs(Good({"decode", "--seed", "3"})), ElementsAre("model.seed=3"));
  EXPECT_EQ(Good({"generate", "--prompt", "x", "--seed", "3"}).generate.seed, 3u);
}

TEST(FlagsTest, CheckConfigTakesItsFileAndOptions) {
  EXPECT_THAT(Errors({"check-config"}), HasSubstr("expected a file"));
  EXPECT_THAT(Errors({"check-config", "f", "--role", "boss"}), HasSubstr("got 'boss'"));
  const CommandLine line =
      Good({"check-config", "f", "--role", "decode", "--format", "json", "--diff", "g"});
  EXPECT_EQ(line.config_file, "f");
  EXPECT_EQ(line.check_config.role, Role::kDecode);
  EXPECT_EQ(line.check_config.format, CheckConfigOptions::Format::kJson);
  EXPECT_EQ(line.check_config.diff_file, "g");
}

TEST(FlagsTest, BenchPassesEverythingOnAndSelftestTakesAPeer) {
  EXPECT_THAT(Good({"bench", "relay", "--x", "1"}).bench_args, ElementsAre("relay", "--x", "1"));
}

TEST(FlagsTest, HelpIsHeardBeforeErrors) {
  EXPECT_TRUE(Good({"decode", "--nonsense", "--help"}).help);
  EXPECT_EQ(Good({"help", "decode"}).subcommand, Subcommand::kDecode);
  EXPECT_EQ(Good({}).subcommand, Subcommand::kHelp);
  EXPECT_THAT(Good({"bench", "--help"}).bench_args, ElementsAre("--help"));  // its own page
}

TEST(FlagsTest, RefusedFlagsSayWhatToUse) {
  EXPECT_THAT(Errors({"decode", "--swap-space", "4"}), HasSubstr("--kv-offloading-size"));
  EXPECT_THAT(Errors({"decode", "--trust-remote-code"}), HasSubstr("refused"));
  EXPECT_THAT(Errors({"up", "--data-parallel-size", "2"}), HasSubstr("--decode-workers"));
  EXPECT_TRUE(ParseCommandLine(Args{"up", "--data-parallel-size", "1"}).ok());
}

}  // namespace
}  // namespace baton
