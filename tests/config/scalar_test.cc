#include "config/scalar.h"

#include <gtest/gtest.h>

#include <cmath>

#include "config/value.h"

namespace baton {
namespace {

TEST(ScalarTest, NumberThatReadersReadDifferentlyIsRefused) {
  for (const char* text : {"017", "0o17", "0x10", "1:30", "1__0", "_1", "1_", "", "-", "5 GiB x",
                           "1e", "1.5", "nan", ".nan", ".inf", "abc", "0b1", "1,000"}) {
    EXPECT_FALSE(ParseInteger(text).has_value()) << text;
  }
  EXPECT_TRUE(LooksOctal("017"));
  EXPECT_TRUE(LooksOctal("-00"));
  EXPECT_FALSE(LooksOctal("0"));
  EXPECT_FALSE(LooksOctal("0.5"));
}

TEST(ScalarTest, IntegerIsReadInEveryFormThatAllReadersShare) {
  EXPECT_EQ(ParseInteger("0"), 0);
  EXPECT_EQ(ParseInteger("1_000"), 1000);
  EXPECT_EQ(ParseInteger("1e9"), 1'000'000'000);
  EXPECT_EQ(ParseInteger("5.0"), 5);
  EXPECT_EQ(ParseInteger("-3"), -3);
  EXPECT_EQ(ParseInteger("+3"), 3);
  EXPECT_EQ(ParseNumber(".5"), 0.5);
  EXPECT_EQ(ParseInteger("9223372036854775807"), 9223372036854775807LL);
  EXPECT_FALSE(ParseInteger("9223372036854775808").has_value());
}

TEST(ScalarTest, BytesTakeUnits) {
  EXPECT_EQ(ParseBytes("5GiB"), 5LL << 30);
  EXPECT_EQ(ParseBytes("0.5 KiB"), 512);
  EXPECT_EQ(ParseBytes("1MB"), 1'000'000);
  EXPECT_EQ(ParseBytes("17"), 17);
  EXPECT_EQ(ParseBytes("17B"), 17);
  EXPECT_FALSE(ParseBytes("5G").has_value());
  EXPECT_FALSE(ParseBytes("GiB").has_value());
  EXPECT_FALSE(ParseBytes("9e99TiB").has_value());
}

TEST(ScalarTest, BooleanTakesWordsAndDigitsOnlyInTheEnvironment) {
  EXPECT_EQ(ParseBoolean("True", false), true);
  EXPECT_EQ(ParseBoolean("off", false), false);
  EXPECT_FALSE(ParseBoolean("1", false).has_value());
  EXPECT_EQ(ParseBoolean("1", true), true);
  EXPECT_EQ(ParseBoolean("0", true), false);
  EXPECT_FALSE(ParseBoolean("y", false).has_value());
}

YamlNode Plain(const std::string& text) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.text = text;
  return node;
}

TEST(ScalarTest, InfinityIsTakenOnlyWhereAKeyAllowsIt) {
  EXPECT_FALSE(ReadValue(Number(0, 10, "s"), Plain(".inf"), false).ok());
  const auto endless = ReadValue(Number(0, kNoLimit, "s"), Plain(".inf"), false);
  ASSERT_TRUE(endless.ok());
  EXPECT_EQ(WriteYamlValue(*endless), ".inf");
}

TEST(ScalarTest, QuotedTextIsNeitherBooleanNorNumber) {
  YamlNode node = Plain("True");
  node.quoted = true;
  EXPECT_FALSE(ReadValue(Boolean(), node, false).ok());
  node.text = "5";
  EXPECT_FALSE(ReadValue(Integer(0, 9, ""), node, false).ok());
  EXPECT_TRUE(ReadValue(Text(), node, false).ok());
}

TEST(ScalarTest, MessageSaysWhatWasExpectedAndWhyALeadingZeroIsRefused) {
  const auto port = ReadValue(Integer(0, 65535, "port"), Plain("017"), false);
  EXPECT_EQ(port.status().message(),
            "expected an integer from 0 to 65535 (port), got '017' (readers differ on whether a "
            "leading zero means base 8; write it without)");
  const auto choice = ReadValue(OneOf("auto|bf16=bfloat16"), Plain("int8"), false);
  EXPECT_EQ(choice.status().message(), "expected one of auto, bf16, got 'int8'");
}

TEST(ScalarTest, SynonymBecomesTheCanonicalWord) {
  const auto choice = ReadValue(OneOf("auto|bf16=bfloat16"), Plain("BFloat16"), false);
  ASSERT_TRUE(choice.ok());
  EXPECT_EQ(*choice->AsString(), "bf16");
}

TEST(ScalarTest, TextIsQuotedWhereAReaderCouldMistakeIt) {
  EXPECT_EQ(WriteYamlValue("auto"), "auto");
  for (const char* text : {"true", "no", "null", "7300", "", "a: b", "1e5", "[x]", "~", "a#b"}) {
    const std::string written = WriteYamlValue(text);
    EXPECT_EQ(written.front(), '"') << text;
    const YamlTree tree = ParseYaml(written);
    EXPECT_EQ(tree.root.text, text);
  }
}

}  // namespace
}  // namespace baton
