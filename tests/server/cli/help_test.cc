#include "server/cli/help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_split.h"
#include "server/cli/flag_table.h"

namespace baton {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Subcommand kAll[] = {Subcommand::kHelp,     Subcommand::kUp,     Subcommand::kRouter,
                               Subcommand::kPrefill,  Subcommand::kDecode, Subcommand::kCheckConfig,
                               Subcommand::kSelftest, Subcommand::kBench,  Subcommand::kGenerate};

TEST(HelpTest, EveryPageNamesItsSubcommandAndFitsATerminal) {
  for (const Subcommand subcommand : kAll) {
    const std::string page = HelpPage(subcommand);
    if (subcommand != Subcommand::kHelp) {
      EXPECT_THAT(page, HasSubstr(std::string("baton ") + std::string(SubcommandName(subcommand))));
    }
    EXPECT_EQ(page.back(), '\n');
    for (absl::string_view line : absl::StrSplit(page, '\n')) {
      EXPECT_LE(line.size(), 100u) << line;
    }
  }
}

TEST(HelpTest, PageListsTheFlagsThatTheSubcommandTakesAndNoOther) {
  EXPECT_THAT(HelpPage(Subcommand::kUp), HasSubstr("--prefill-workers N"));
  EXPECT_THAT(HelpPage(Subcommand::kRouter), Not(HasSubstr("--prefill-workers")));
  EXPECT_THAT(HelpPage(Subcommand::kRouter), HasSubstr("--policy NAME"));
  EXPECT_THAT(HelpPage(Subcommand::kDecode), Not(HasSubstr("--policy NAME")));
  EXPECT_THAT(HelpPage(Subcommand::kDecode), Not(HasSubstr("--swap-space")));
  EXPECT_THAT(HelpPage(Subcommand::kGenerate), HasSubstr("--prompt-ids IDS"));
}

TEST(HelpTest, AFlagWithoutEffectSaysSo) {
  EXPECT_THAT(HelpPage(Subcommand::kUp),
              ::testing::ContainsRegex("--enforce-eager[^\n]*no effect yet"));
  EXPECT_THAT(HelpPage(Subcommand::kUp),
              Not(::testing::ContainsRegex("--max-num-seqs[^\n]*no effect")));
}

TEST(HelpTest, EveryKnobOfAFlagIsInTheTableOfKeys) {
  for (const auto& flags : {KnobFlags(), GatewayFlags()}) {
    for (const FlagSpec& flag : flags) {
      if (flag.path.empty()) continue;
      LoadInputs inputs;
      const std::string path(flag.path);
      const bool role = path.rfind("ROLE.", 0) == 0;
      inputs.flags = {{role ? "decode" + path.substr(4) : path, "null", std::string(flag.name)}};
      EXPECT_TRUE(LoadConfig(inputs).ok()) << flag.name;
    }
  }
}

}  // namespace
}  // namespace baton
