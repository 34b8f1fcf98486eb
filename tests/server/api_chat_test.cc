// What a chat's fields do to its prompt, and thoughts and tool calls in its answer: over HTTP, with
// a scripted gateway behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/server/api_fixture.h"

namespace baton::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTools = R"("tools":[{"type":"function","function":{"name":"f"}}])";

class ApiChatTest : public ApiFixture {
 protected:
  void StartWith(const std::string& answer) { Start(AnswersWith(answer)); }

  // The prompt of one message "x", as the tokenizer writes it back.
  std::string PromptOf(const std::string& fields) {
    const TestAnswer answer =
        Post("/tokenize", absl::StrCat(R"({"messages":[{"role":"user","content":"x"}],)", fields,
                                       R"("add_special_tokens":false})"));
    if (answer.status != 200) return TextAt(answer.body, "error");
    std::string text;
    const JsonValue tokens = At(answer.body, "tokens");
    for (const JsonValue& token : *tokens.AsArray()) {
      std::int64_t id = 0;
      token.AsInt(&id);
      text += id < 256 ? std::string(1, static_cast<char>(id)) : "#";
    }
    return text;
  }
};

TEST_F(ApiChatTest, ToolsKwargsAndEffortReachTheTemplate) {
  const std::string file = ::testing::TempDir() + "api_chat.jinja";
  std::ofstream(file)
      << "{{ tools | length if tools else 'none' }}|{{ depth }}|"
         "{{ reasoning_effort }}|{{ add_generation_prompt }}|{{ messages[0].role }}";
  ModelConfig model;
  model.path = "builtin:recall";
  model.chat_template = file;
  StartWith("a");
  *chat_ = *ChatFormat::Load(model, {});
  EXPECT_EQ(PromptOf(""), "none|||True|user");
  EXPECT_EQ(PromptOf(absl::StrCat(kTools, R"(,"chat_template_kwargs":{"depth":3},)")),
            "1|3||True|user");
  EXPECT_EQ(PromptOf(absl::StrCat(kTools, R"(,"tool_choice":"none","reasoning_effort":"low",)")),
            "none||low|True|user");
  EXPECT_EQ(PromptOf(R"("add_generation_prompt":false,)"), "none|||False|user");
  EXPECT_THAT(PromptOf(R"("chat_template_kwargs":{"messages":[]},)"),
              HasSubstr("chat_template_kwargs.messages"));
  EXPECT_THAT(PromptOf(R"("continue_final_message":true,"add_generation_prompt":true,)"),
              HasSubstr("continue_final_message"));
}

TEST_F(ApiChatTest, WhatTheTemplateRefusesIsA400WithItsWords) {
  const std::string file = ::testing::TempDir() + "api_chat_raise.jinja";
  std::ofstream(file) << "{{ raise_exception('roles must alternate') }}";
  ModelConfig model;
  model.path = "builtin:recall";
  model.chat_template = file;
  StartWith("a");
  *chat_ = *ChatFormat::Load(model, {});
  const TestAnswer answer = Post(kChat, R"({"messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(TextAt(answer.body, "error.message"), "\"roles must alternate\"");
  EXPECT_EQ(TextAt(answer.body, "error.param"), "\"messages\"");
}

TEST_F(ApiChatTest, AToolCallIsReadFromAWholeAnswer) {
  chat_config_.tool_call_parser = "hermes";
  StartWith("<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}</tool_call>");
  const TestAnswer answer =
      Post(kChat, absl::StrCat(R"({"messages":[{"role":"user","content":"x"}],"ignore_eos":false,)",
                               kTools, "}"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(TextAt(answer.body, "choices.0.message.content"), "null");
  EXPECT_EQ(TextAt(answer.body, "choices.0.message.tool_calls.0.function"),
            R"({"name":"f","arguments":"{\"a\": 1}"})");
  EXPECT_THAT(TextAt(answer.body, "choices.0.message.tool_calls.0.id"), HasSubstr("\"call_"));
}

TEST_F(ApiChatTest, AStreamedToolCallBeginsWithItsNameAndEndsWhole) {
  chat_config_.tool_call_parser = "hermes";
  StartWith("ok<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}</tool_call>");
  const TestAnswer answer = Post(
      kChat,
      absl::StrCat(R"({"messages":[{"role":"user","content":"x"}],"stream":true,)", kTools, "}"));
  std::string content;
  std::string name;
  std::string arguments;
  for (const std::string& event : EventsOf(answer.body)) {
    if (event == "[DONE]") continue;
    const JsonValue delta = At(event, "choices.0.delta");
    const JsonValue text = At(delta, "content");
    if (text.AsString() != nullptr) content += *text.AsString();
    const JsonValue call = At(delta, "tool_calls.0");
    if (call.is_null()) continue;
    const JsonValue said = At(call, "function.name");
    if (said.AsString() != nullptr) {
      EXPECT_TRUE(name.empty() && arguments.empty()) << event;
      EXPECT_EQ(TextAt(event, "choices.0.delta.tool_calls.0.type"), "\"function\"");
      name = *said.AsString();
    }
    arguments += *At(call, "function.arguments").AsString();
  }
  EXPECT_EQ(content, "ok");
  EXPECT_EQ(name, "f");
  EXPECT_EQ(arguments, "{\"a\": 1}");
}

TEST_F(ApiChatTest, WithoutToolsMarkupIsText) {
  chat_config_.tool_call_parser = "hermes";
  const std::string markup = "<tool_call>{}</tool_call>";
  StartWith(markup);
  const TestAnswer answer = Post(kChat, R"({"messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(TextAt(answer.body, "choices.0.message.content"), "\"" + markup + "\"");
}

TEST_F(ApiChatTest, AThoughtIsToldApart) {
  chat_config_.reasoning_parser = "think";
  StartWith("<think>hm</think>yes");
  const TestAnswer answer = Post(kChat, R"({"messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(TextAt(answer.body, "choices.0.message.content"), "\"yes\"");
  EXPECT_EQ(TextAt(answer.body, "choices.0.message.reasoning_content"), "\"hm\"");
}

TEST_F(ApiChatTest, AMessageThatCallsToolsNeedsNoContent) {
  StartWith("a");
  const auto post = [this](const std::string& message) {
    return Post(kChat, absl::StrCat(R"({"messages":[)", message, "]}"));
  };
  EXPECT_EQ(post(R"({"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
      "function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c",
      "content":"r"})")
                .status,
            200);
  EXPECT_EQ(post(R"({"role":"assistant","content":null})").status, 400);
  const TestAnswer bad = post(R"({"role":"assistant","tool_calls":[{"type":"function",
      "function":{"name":"f","arguments":"nope"}}]})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_THAT(bad.body, HasSubstr("not JSON"));
}

}  // namespace
}  // namespace baton::testing
