// The files that we ship: three generations of LMCache's files with one effect, the commented
// example at its defaults, the demo, and the page of all keys.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "config/effective.h"
#include "config/reference.h"

namespace baton {
namespace {

constexpr char kConfigDir[] = BATON_SOURCE_DIR "/config/";

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

LoadedConfig LoadFile(const std::string& name, Role role, std::vector<FlagSetting> flags = {}) {
  LoadInputs inputs;
  inputs.role = role;
  inputs.file_name = name;
  inputs.file_text = Contents(kConfigDir + name);
  inputs.flags = std::move(flags);
  auto loaded = LoadConfig(inputs);
  EXPECT_TRUE(loaded.ok()) << loaded.status();
  return loaded.ok() ? *std::move(loaded) : LoadedConfig();
}

struct Case {
  const char* cluster;
  Role role;
};

class GenerationsTest : public ::testing::TestWithParam<Case> {};

TEST_P(GenerationsTest, ThreeGenerationsHaveOneEffect) {
  const Role role = GetParam().role;
  const std::string rest = absl::StrCat("-", GetParam().cluster, "-", RoleName(role), ".yaml");
  // Generation 1 names no proxy, and a decode worker's file of any generation names none.
  const std::vector<FlagSetting> router = {{"router.endpoints", "['127.0.0.1:7500']", "--router"}};
  const bool decode = role == Role::kDecode;
  const LoadedConfig first = LoadFile("examples/g1" + rest, role, router);
  const LoadedConfig second =
      LoadFile("examples/g2" + rest, role, decode ? router : std::vector<FlagSetting>());
  const LoadedConfig third =
      LoadFile("examples/g3" + rest, role, decode ? router : std::vector<FlagSetting>());
  EXPECT_EQ(EffectiveDiff(first, second), "");
  EXPECT_EQ(EffectiveDiff(first, third), "");
  EXPECT_EQ(first.config.flat.pd_role, RoleName(role));
  EXPECT_EQ(first.config.flat.pd_buffer_bytes, 512u << 20);
  const bool second_worker = std::string(GetParam().cluster) == "xpyd";
  const std::string ports = second_worker ? "7301" : "7300";
  EXPECT_EQ(first.config.transfer.tcp_ports, decode ? ports : "7300-7309");
}

INSTANTIATE_TEST_SUITE_P(All, GenerationsTest,
                         ::testing::Values(Case{"1p1d", Role::kPrefill},
                                           Case{"1p1d", Role::kDecode},
                                           Case{"xpyd", Role::kPrefill},
                                           Case{"xpyd", Role::kDecode}));

TEST(ExamplesTest, CommentedExampleIsAllDefaultsButTheModel) {
  const LoadedConfig loaded = LoadFile("examples/baton.yaml", Role::kRouter);
  LoadInputs nothing;
  nothing.flags = {{"model.path", "builtin:recall", "--model"}};
  EXPECT_EQ(EffectiveDiff(*LoadConfig(nothing), loaded), "");
  EXPECT_TRUE(loaded.notices.empty());
}

TEST(ExamplesTest, DemoNamesTheBuiltInModelAndFewPages) {
  const LoadedConfig loaded = LoadFile("recall/demo.yaml", Role::kAny);
  EXPECT_EQ(loaded.config.model.path, "builtin:recall");
  EXPECT_GT(loaded.config.cache.pages, 0u);
}

TEST(ExamplesTest, PageOfAllKeysIsCurrent) {
  EXPECT_EQ(Contents(std::string(kConfigDir) + "reference.md"), ConfigReference())
      << "print it again: baton check-config --reference > config/reference.md";
}

}  // namespace
}  // namespace baton
