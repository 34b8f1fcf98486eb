#include "base/log.h"

#include <gtest/gtest.h>

#include <string>

#include "base/json.h"

namespace baton {
namespace {

TEST(LogTest, AWorkersNameIsTextWhateverIsInIt) {
  const std::string worker = "d%v\"\\x";
  StartLog(LogLevel::kInfo, LogFormat::kJson, "decode", worker);
  ::testing::internal::CaptureStderr();
  BATON_INFO("a \"word\" of 100 %%");
  const auto line = ParseJson(::testing::internal::GetCapturedStderr());
  ASSERT_TRUE(line.ok()) << line.status();
  const JsonObject& fields = *line->AsObject();
  EXPECT_EQ(*fields.Find("worker")->AsString(), worker);
  EXPECT_EQ(*fields.Find("message")->AsString(), "a \"word\" of 100 %");
}

}  // namespace
}  // namespace baton
