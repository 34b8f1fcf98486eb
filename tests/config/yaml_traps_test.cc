// The traps of YAML and of yaml-cpp, each by its name: none may pass in silence.
#include <gtest/gtest.h>

#include <string>

#include "config/tree.h"

namespace baton {
namespace {

/// The one error of a text that must have exactly one.
YamlError OnlyError(const std::string& text) {
  const YamlTree tree = ParseYaml(text);
  EXPECT_EQ(tree.errors.size(), 1u) << text;
  return tree.errors.empty() ? YamlError() : tree.errors[0];
}

TEST(YamlTrapsTest, DuplicateKeyIsAnErrorAtTheSecondLine) {
  const YamlError error = OnlyError("a: 1\nb: 2\na: 3\n");
  EXPECT_EQ(error.line, 3);
  EXPECT_NE(error.message.find("stands twice"), std::string::npos);
}

TEST(YamlTrapsTest, SecondDocumentIsAnError) { EXPECT_EQ(OnlyError("a: 1\n---\nb: 2\n").line, 2); }

TEST(YamlTrapsTest, AnchorAndAliasAreErrorsAndNoCycleIsBuilt) {
  const YamlTree tree = ParseYaml("a: &a [*a]\n");
  ASSERT_EQ(tree.errors.size(), 2u);
  EXPECT_NE(tree.errors[0].message.find("anchors"), std::string::npos);
  EXPECT_NE(tree.errors[1].message.find("aliases"), std::string::npos);
}

TEST(YamlTrapsTest, TagIsAnError) {
  EXPECT_NE(OnlyError("a: !!int 5\n").message.find("tags"), std::string::npos);
  EXPECT_NE(OnlyError("a: !mine {b: 1}\n").message.find("tags"), std::string::npos);
}

TEST(YamlTrapsTest, MergeKeyIsAnError) {
  EXPECT_NE(OnlyError("a:\n  <<: {b: 1}\n").message.find("merge"), std::string::npos);
}

TEST(YamlTrapsTest, KeyThatIsNoNameIsAnError) {
  EXPECT_NE(OnlyError("[a, b]: 1\n").message.find("a list"), std::string::npos);
  EXPECT_NE(OnlyError("{a: 1}: 1\n").message.find("a map"), std::string::npos);
  EXPECT_NE(OnlyError("~: 1\n").message.find("nothing"), std::string::npos);
}

TEST(YamlTrapsTest, NullIsNotTheTextNull) {
  const YamlTree tree = ParseYaml("a: null\nb: 'null'\nc: ~\nd:\ne: \"\"\n");
  ASSERT_TRUE(tree.errors.empty());
  ASSERT_EQ(tree.root.items.size(), 5u);
  EXPECT_EQ(tree.root.items[0].kind, YamlNode::Kind::kNull);
  EXPECT_EQ(tree.root.items[1].text, "null");
  EXPECT_EQ(tree.root.items[2].kind, YamlNode::Kind::kNull);
  EXPECT_EQ(tree.root.items[3].kind, YamlNode::Kind::kNull);
  EXPECT_EQ(tree.root.items[4].kind, YamlNode::Kind::kScalar);
}

TEST(YamlTrapsTest, QuotedScalarsAreToldFromPlainOnes) {
  const YamlTree tree = ParseYaml("a: 'True'\nb: True\nc: \"5\"\n");
  EXPECT_TRUE(tree.root.items[0].quoted);
  EXPECT_FALSE(tree.root.items[1].quoted);
  EXPECT_TRUE(tree.root.items[2].quoted);
}

TEST(YamlTrapsTest, EmptyValueStandsAtItsKeysLine) {
  const YamlTree tree = ParseYaml("a:\nb: 1\n");
  EXPECT_EQ(tree.root.items[0].line, 1);
  EXPECT_EQ(tree.root.items[1].line, 2);
}

TEST(YamlTrapsTest, AliasBombCostsItsBytes) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'l'; ++c) {
    bomb += c;
    bomb += ": &";
    bomb += c;
    bomb += " [";
    for (int i = 0; i < 9; ++i) bomb += std::string(i > 0 ? "," : "") + "*" + char(c - 1);
    bomb += "]\n";
  }
  const YamlTree tree = ParseYaml(bomb);
  EXPECT_EQ(tree.errors.size(), YamlLimits().errors_max);
}

TEST(YamlTrapsTest, TextPastTheByteLimitIsNotRead) {
  const std::string text(YamlLimits().bytes_max + 1, 'a');
  EXPECT_NE(OnlyError(text).message.find("bytes"), std::string::npos);
}

TEST(YamlTrapsTest, ValuesPastTheEventLimitAreNotKept) {
  std::string text = "a: [";
  for (std::size_t i = 0; i < YamlLimits().events_max + 10; ++i) text += "1,";
  text += "1]\n";
  EXPECT_NE(OnlyError(text).message.find("too many"), std::string::npos);
}

TEST(YamlTrapsTest, NestingPastTheDepthLimitIsAnError) {
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  const YamlTree tree = ParseYaml(deep);
  ASSERT_FALSE(tree.errors.empty());
  EXPECT_NE(tree.errors[0].message.find("deeply"), std::string::npos);
  EXPECT_FALSE(ParseYaml(std::string(100'000, '[')).errors.empty());
}

TEST(YamlTrapsTest, BrokenSyntaxIsAnErrorWithItsLine) {
  const YamlError error = OnlyError("a: 1\nb: [1, 2\n");
  EXPECT_GE(error.line, 2);
  EXPECT_NE(error.message.find("not YAML"), std::string::npos);
}

TEST(YamlTrapsTest, ControlBytesAreEscapedInMessages) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.text = "a\x1b[31m";
  EXPECT_EQ(DescribeNode(node), "'a\\033[31m'");
}

}  // namespace
}  // namespace baton
