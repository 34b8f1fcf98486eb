// Thoughts and tool calls in answers, however the answer is cut into pieces.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "server/text/chat_answer.h"

namespace baton {
namespace {

struct Told {
  std::string reasoning;
  std::string content;
  std::vector<std::pair<std::string, std::string>> calls;  // name, arguments

  bool operator==(const Told&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Told& told) {
  out << "thought {" << told.reasoning << "} said {" << told.content << "}";
  for (const auto& [name, arguments] : told.calls) out << " " << name << "(" << arguments << ")";
  return out;
}

void Gather(const ChatAnswerDelta& delta, Told& told) {
  told.reasoning += delta.reasoning;
  for (const AnswerPiece& piece : delta.pieces) {
    if (piece.kind == AnswerPiece::Kind::kContent) {
      told.content += piece.text;
    } else if (piece.kind == AnswerPiece::Kind::kCall) {
      ASSERT_EQ(static_cast<std::size_t>(piece.call), told.calls.size());
      told.calls.emplace_back(piece.text, "");
    } else {
      ASSERT_EQ(static_cast<std::size_t>(piece.call) + 1, told.calls.size());
      told.calls.back().second += piece.text;
    }
  }
}

Told Read(const ChatAnswerRules& rules, const std::vector<std::string>& parts) {
  ChatAnswer answer(rules);
  Told told;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Gather(answer.Append(parts[i], i + 1 == parts.size()), told);
  }
  return told;
}

// The whole text, every cut in two, and byte by byte: all must tell the same.
void Expect(const ChatAnswerRules& rules, const std::string& text, const Told& wanted) {
  EXPECT_EQ(Read(rules, {text}), wanted) << "whole: " << text;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Read(rules, {text.substr(0, cut), text.substr(cut)}), wanted)
        << "cut at " << cut << ": " << text;
  }
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  bytes.emplace_back();
  EXPECT_EQ(Read(rules, bytes), wanted) << "byte by byte: " << text;
}

ChatAnswerRules Tools(ToolCallMarkup markup) {
  ChatAnswerRules rules;
  rules.tools = markup;
  return rules;
}

TEST(ChatAnswerTest, TextStaysTextWhenNothingIsLookedFor) {
  Expect({}, "<think>a</think><tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>",
         {"", "<think>a</think><tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>", {}});
}

TEST(ChatAnswerTest, AThoughtEndsAtItsMark) {
  ChatAnswerRules rules;
  rules.splits_reasoning = true;
  Expect(rules, "<think>\nhm</thin</think>\n\nyes </think>",
         {"\nhm</thin", "\n\nyes </think>", {}});
  Expect(rules, "\n <think>never closed </thi", {"never closed </thi", "", {}});
  Expect(rules, "plain <think>x</think>", {"", "plain <think>x</think>", {}});
  Expect(rules, " <thin", {"", " <thin", {}});
  rules.opens_in_thought = true;
  Expect(rules, "so</think>done", {"so", "done", {}});
}

TEST(ChatAnswerTest, APromptThatOpensAThoughtIsSeen) {
  EXPECT_TRUE(EndsInThought("<assistant><think>\n"));
  EXPECT_FALSE(EndsInThought("<think>\n\n</think>\n\n"));
  EXPECT_FALSE(EndsInThought(""));
}

TEST(ChatAnswerTest, HermesCallsAreRead) {
  const ChatAnswerRules rules = Tools(ToolCallMarkup::kHermes);
  Expect(
      rules,
      "Let me see.<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"}\\\"</tool_call>\", "
      "\"b\": [1, {}]}}\n</tool_call>\n<tool_call>\n{\"name\":\"g\",\"arguments\":{}}\n"
      "</tool_call>",
      {"", "Let me see.", {{"f", "{\"a\": \"}\\\"</tool_call>\", \"b\": [1, {}]}"}, {"g", "{}"}}});
  Expect(rules, "a <tool_ca", {"", "a <tool_ca", {}});
}

TEST(ChatAnswerTest, WhatIsNoHermesCallStaysText) {
  const ChatAnswerRules rules = Tools(ToolCallMarkup::kHermes);
  for (const std::string text :
       {"<tool_call>no json</tool_call>", "<tool_call>{\"name\": 5}</tool_call>",
        "<tool_call>{\"arguments\": {}, \"name\": \"f\"}</tool_call>",
        "<tool_call>{\"name\": \"f\", \"arguments\": \"text\"}</tool_call>",
        "<tool_call>{\"name\": \"f\", \"arg", "<tool_call>{\"name\": \"\", \"arguments\": {}}"}) {
    Expect(rules, text, {"", text, {}});
  }
}

TEST(ChatAnswerTest, AnEndlessNameIsGivenUp) {
  const std::string text = absl::StrCat("<tool_call>{\"name\": \"", std::string(5000, 'x'));
  ChatAnswer answer(Tools(ToolCallMarkup::kHermes));
  Told told;
  Gather(answer.Append(text, false), told);
  EXPECT_EQ(told.content, text);
}

TEST(ChatAnswerTest, LlamaCallsAreTheWholeAnswer) {
  const ChatAnswerRules rules = Tools(ToolCallMarkup::kLlamaJson);
  Expect(rules, R"( {"name": "f", "parameters": {"a": {"b": "{"}}})",
         {"", "", {{"f", R"({"a": {"b": "{"}})"}}});
  Expect(rules, R"({"name": "f", "parameters": {}}; {"name": "g", "arguments": {"x":1}})",
         {"", "", {{"f", "{}"}, {"g", R"({"x":1})"}}});
  Expect(rules, R"(It is {"name": "f", "parameters": {}})",
         {"", R"(It is {"name": "f", "parameters": {}})", {}});
  Expect(rules, R"({"answer": 42})", {"", R"({"answer": 42})", {}});
}

const std::string kBegin =
    "<\xEF\xBD\x9Ctool\xE2\x96\x81"
    "calls\xE2\x96\x81"
    "begin\xEF\xBD\x9C>";
const std::string kEnd =
    "<\xEF\xBD\x9Ctool\xE2\x96\x81"
    "calls\xE2\x96\x81"
    "end\xEF\xBD\x9C>";
const std::string kCall =
    "<\xEF\xBD\x9Ctool\xE2\x96\x81"
    "call\xE2\x96\x81"
    "begin\xEF\xBD\x9C>";
const std::string kCallEnd =
    "<\xEF\xBD\x9Ctool\xE2\x96\x81"
    "call\xE2\x96\x81"
    "end\xEF\xBD\x9C>";
const std::string kSep = "<\xEF\xBD\x9Ctool\xE2\x96\x81sep\xEF\xBD\x9C>";

TEST(ChatAnswerTest, DeepSeekCallsAreReadInBothForms) {
  const ChatAnswerRules rules = Tools(ToolCallMarkup::kDeepSeek);
  Expect(
      rules,
      absl::StrCat("Sure.", kBegin, kCall, "function", kSep, "f\n```json\n{\"a\": 1}\n```",
                   kCallEnd, "\n", kCall, "function", kSep, "g\n```json\n{}\n```", kCallEnd, kEnd),
      {"", "Sure.", {{"f", "{\"a\": 1}"}, {"g", "{}"}}});
  Expect(rules, absl::StrCat(kBegin, kCall, "f", kSep, "{\"a\": 1}", kCallEnd, kEnd),
         {"", "", {{"f", "{\"a\": 1}"}}});
  Expect(rules, absl::StrCat(kCall, "function", kSep, "f\nno fence"),
         {"", absl::StrCat(kCall, "function", kSep, "f\nno fence"), {}});
}

TEST(ChatAnswerTest, AnAnswerThatStopsInACallKeepsWhatCame) {
  Expect(Tools(ToolCallMarkup::kHermes), "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"b",
         {"", "", {{"f", "{\"a\": \"b"}}});
}

TEST(ChatAnswerTest, OnlyOneCallWhereTheClientTakesOne) {
  ChatAnswerRules rules = Tools(ToolCallMarkup::kHermes);
  rules.parallel_calls = false;
  Expect(rules,
         "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>"
         "<tool_call>{\"name\": \"g\", \"arguments\": {}}</tool_call>",
         {"", "", {{"f", "{}"}}});
}

TEST(ChatAnswerTest, AThoughtHoldsNoCalls) {
  ChatAnswerRules rules = Tools(ToolCallMarkup::kHermes);
  rules.splits_reasoning = true;
  Expect(rules,
         "<think><tool_call>?</think><tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>",
         {"<tool_call>?", "", {{"f", "{}"}}});
}

}  // namespace
}  // namespace baton
