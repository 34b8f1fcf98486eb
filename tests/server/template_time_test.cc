// What rendering a conversation costs, and that a long one fits the limits.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/text/chat_template.h"

namespace baton {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

ChatTemplate Golden(const std::string& name) {
  std::stringstream text;
  text << std::ifstream(absl::StrCat(BATON_SOURCE_DIR, "/tests/golden/templates/", name)).rdbuf();
  return *ChatTemplate::Parse(text.str(), name);
}

// Turns of users and assistants, some with thoughts, 200 bytes each.
ChatInput Conversation(int messages) {
  JsonArray turns;
  for (int i = 0; i < messages; ++i) {
    const bool user = i % 2 == 0;
    const std::string text =
        absl::StrCat(user ? "" : "<think>hm</think>", std::string(200, 'x'), i);
    turns.push_back(MakeJson({{"role", user ? "user" : "assistant"}, {"content", text}}));
  }
  ChatInput input;
  input.messages = std::move(turns);
  input.add_generation_prompt = false;  // the last message is an assistant's
  input.special_tokens = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
  return input;
}

microseconds FastestRender(const ChatTemplate& chat_template, const ChatInput& input) {
  microseconds fastest = microseconds::max();
  for (int i = 0; i < 20; ++i) {
    const Clock::time_point begin = Clock::now();
    const auto runs = chat_template.Render(input);
    const auto spent = std::chrono::duration_cast<microseconds>(Clock::now() - begin);
    EXPECT_TRUE(runs.ok()) << runs.status();
    fastest = std::min(fastest, spent);
  }
  return fastest;
}

constexpr const char* kTemplates[] = {
    "plain_loop.jinja", "turns_trim.jinja", "think_split.jinja",    "namespace_first_system.jinja",
    "tools_json.jinja", "macros.jinja",     "nested_content.jinja", "strict_roles.jinja"};

TEST(TemplateTimeTest, AHundredMessagesTakeAtMostAMillisecond) {
  const ChatInput input = Conversation(100);
  for (const char* name : kTemplates) {
    const microseconds spent = FastestRender(Golden(name), input);
    std::printf("%-32s %5lld us for 100 messages\n", name, static_cast<long long>(spent.count()));
    EXPECT_LE(spent.count(), 1000) << name;
  }
}

TEST(TemplateTimeTest, TheLongestConversationFits) {
  const ChatInput input = Conversation(4096);
  for (const char* name : kTemplates) {
    const auto runs = Golden(name).Render(input);
    EXPECT_TRUE(runs.ok()) << name << ": " << runs.status();
  }
}

}  // namespace
}  // namespace baton
