#include "base/json.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace baton {
namespace {

TEST(JsonTest, KeepsTheOrderOfKeysAndTheKindsOfNumbers) {
  const auto parsed = ParseJson(R"({"b":1,"a":[1.5,-2,18446744073709551615,null,true,"x\n"]})");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(WriteJson(*parsed), R"({"b":1,"a":[1.5,-2,18446744073709551615,null,true,"x\n"]})");
}

TEST(JsonTest, RefusesADuplicateKey) { EXPECT_FALSE(ParseJson(R"({"a":1,"a":2})").ok()); }

TEST(JsonTest, RefusesDepthBeyondTheLimit) {
  const std::string deep = std::string(65, '[') + std::string(65, ']');
  EXPECT_FALSE(ParseJson(deep).ok());
  EXPECT_TRUE(ParseJson(deep.substr(1, 128)).ok());
}

TEST(JsonTest, AnErrorNamesTheLineAndNeverTheText) {
  const auto parsed = ParseJson("{\n \"secret\": oops }");
  ASSERT_FALSE(parsed.ok());
  EXPECT_NE(parsed.status().message().find("line 2"), absl::string_view::npos) << parsed.status();
  EXPECT_EQ(parsed.status().message().find("secret"), absl::string_view::npos);
}

TEST(JsonTest, FindsKeysOfALargeObject) {
  JsonObject object;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(object.Insert(std::to_string(i), i));
  EXPECT_FALSE(object.Insert("42", 0));
  std::int64_t value = 0;
  ASSERT_NE(object.Find("42"), nullptr);
  EXPECT_TRUE(object.Find("42")->AsInt(&value));
  EXPECT_EQ(value, 42);
  EXPECT_EQ(object.Find("100"), nullptr);
}

TEST(JsonTest, HandsTablesOverInsteadOfKeepingThem) {
  std::string seen;
  const auto note = [&seen](absl::string_view key, JsonValue value) {
    absl::StrAppend(&seen, key, "=", WriteJson(value), ";");
    return key == "bad" ? absl::InvalidArgumentError("bad member") : absl::OkStatus();
  };
  const std::vector<JsonTable> tables = {{{"model", "vocab"}, note}, {{"model", "merges"}, note}};
  const std::string text =
      R"({"vocab":{"x":1},"model":{"vocab":{"a":1,"b":[2]},"merges":["c",["d","e"]],"type":"T"}})";
  const auto tree = ParseJsonTables(text, tables);
  ASSERT_TRUE(tree.ok());
  EXPECT_EQ(seen, R"(a=1;b=[2];="c";=["d","e"];)");
  EXPECT_EQ(WriteJson(*tree), R"({"vocab":{"x":1},"model":{"vocab":{},"merges":[],"type":"T"}})");
  const auto refused = ParseJsonTables(R"({"model":{"vocab":{"bad":1}}})", tables);
  EXPECT_EQ(refused.status().message(), "bad member");
}

TEST(JsonTest, WhatIsHandedOverDoesNotCountAsTree) {
  const std::vector<JsonTable> tables = {
      {{"v"}, [](absl::string_view, JsonValue) { return absl::OkStatus(); }}};
  JsonLimits limits;
  limits.values_max = 8;
  std::string members = "\"a\":[1,2]";
  for (int i = 0; i < 100; ++i) absl::StrAppend(&members, ",\"k", i, "\":[1,2]");
  EXPECT_TRUE(ParseJsonTables("{\"v\":{" + members + "}}", tables, limits).ok());
  EXPECT_FALSE(ParseJsonTables("{\"w\":{" + members + "}}", tables, limits).ok());
}

TEST(JsonTest, RefusesBrokenUtf8) { EXPECT_FALSE(ParseJson("\"\xff\"").ok()); }

TEST(JsonTest, AKeyThatComesTwiceIsNamedOnlyWhereThatIsAllowed) {
  const std::string text = R"({"hidden_size": 1, "hidden_size": 2})";
  JsonLimits limits;
  const auto silent = ParseJson(text, limits);
  limits.errors_name_keys = true;
  const auto naming = ParseJson(text, limits);
  ASSERT_FALSE(silent.ok() || naming.ok());
  EXPECT_EQ(silent.status().ToString().find("hidden_size"), std::string::npos);
  EXPECT_NE(naming.status().ToString().find("hidden_size"), std::string::npos);
}

}  // namespace
}  // namespace baton
