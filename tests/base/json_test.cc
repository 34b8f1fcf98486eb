#include "base/json.h"

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

TEST(JsonTest, RefusesBrokenUtf8) { EXPECT_FALSE(ParseJson("\"\xff\"").ok()); }

}  // namespace
}  // namespace baton
