#include "server/cli/check_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton {
namespace {

using ::testing::HasSubstr;

LoadInputs FileInputs(const std::string& text) {
  LoadInputs inputs;
  inputs.file_name = "f.yaml";
  inputs.file_text = text;
  return inputs;
}

TEST(CheckConfigTest, InvalidFileExitsOneWithEveryErrorAndNoOutput) {
  const CheckConfigResult result = CheckConfig({}, FileInputs("a: 1\nchunk_size: x\n"), {});
  EXPECT_EQ(result.exit_code, kExitUsage);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("f.yaml:1: a: "));
  EXPECT_THAT(result.err, HasSubstr("f.yaml:2: chunk_size: "));
}

TEST(CheckConfigTest, GoodFileExitsZeroWithTheConfigurationAndNotices) {
  const CheckConfigResult result =
      CheckConfig({}, FileInputs("enable_p2p: true\nlocal_cpu: false\n"), {});
  EXPECT_EQ(result.exit_code, kExitOk);
  EXPECT_THAT(result.out, HasSubstr("local_cpu: false  # f.yaml:2"));
  EXPECT_THAT(result.err, HasSubstr("warning: f.yaml:1: enable_p2p: ignored"));
  EXPECT_THAT(result.err, HasSubstr("no effect yet: local_cpu"));
}

TEST(CheckConfigTest, DiffComparesTwoFilesAndFailsWhenTheOtherIsWrong) {
  CheckConfigOptions options;
  options.diff_file = "g.yaml";
  const LoadInputs file = FileInputs("chunk_size: 128\n");
  EXPECT_EQ(CheckConfig(options, file, FileInputs("x: 1\n")).exit_code, kExitUsage);
  const CheckConfigResult result = CheckConfig(options, file, FileInputs("chunk_size: 192\n"));
  EXPECT_EQ(result.out, "- chunk_size: 192  # f.yaml:1\n+ chunk_size: 128  # f.yaml:1\n");
}

TEST(CheckConfigTest, ReferenceIsPrintedWithoutAFile) {
  CheckConfigOptions options;
  options.reference = true;
  EXPECT_THAT(CheckConfig(options, {}, {}).out, HasSubstr("| `router.port` |"));
}

TEST(CheckConfigTest, JsonIsPrintedOnRequest) {
  CheckConfigOptions options;
  options.format = CheckConfigOptions::Format::kJson;
  EXPECT_EQ(CheckConfig(options, FileInputs(""), {}).out.front(), '{');
}

}  // namespace
}  // namespace baton
