// What a chat template may never do: give a user's words a control token's power, cost more than
// its limits, or run what is not supported.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/text/chat_template.h"
#include "server/text/tokenizer.h"

namespace baton {
namespace {

ChatInput Said(const std::string& content) {
  JsonArray messages;
  messages.push_back(MakeJson({{"role", "user"}, {"content", content}}));
  ChatInput input;
  input.messages = std::move(messages);
  input.special_tokens = {{"bos_token", "<s>"}};
  return input;
}

// Trusted text in angle quotes, the request's bare.
std::string Marked(const std::string& source, const ChatInput& input) {
  const auto parsed = ChatTemplate::Parse(source, "t");
  if (!parsed.ok()) return std::string(parsed.status().message());
  const auto runs = parsed->Render(input);
  if (!runs.ok()) return std::string(runs.status().message());
  std::string text;
  for (const TextRun& run : *runs) {
    text += run.trusted ? absl::StrCat("[", run.text, "]") : run.text;
  }
  return text;
}

TEST(TemplateTest, MarksSurviveWhatATemplateDoesToText) {
  const ChatInput input = Said("Ab,cD");
  const auto with = [&input](const std::string& expression) {
    return Marked("{% set c = messages[0].content %}{{ " + expression + " }}", input);
  };
  EXPECT_EQ(with("'<' ~ c ~ '>'"), "[<]Ab,cD[>]");
  EXPECT_EQ(with("('<' + c + '>')[1:4]"), "Ab,");
  EXPECT_EQ(with("('<' + c + '>')[::-1]"), "[>]Dc,bA[<]");
  EXPECT_EQ(with("('<' + c) | upper"), "[<]AB,CD");
  EXPECT_EQ(with("c.replace(',', '<sep>')"), "Ab[<sep>]cD");
  EXPECT_EQ(with("'x,y'.replace(',', c)"), "[x]Ab,cD[y]");
  EXPECT_EQ(with("c.split(',') | join('|')"), "Ab[|]cD");
  EXPECT_EQ(with("(' ' + c + ' ') | trim"), "Ab,cD");
  EXPECT_EQ(with("messages[0] | tojson"), R"({"role": "user", "content": "Ab,cD"})");
  EXPECT_EQ(with("{'k': 'v'} | tojson"), R"([{"k": "v"}])");
  EXPECT_EQ(with("messages[0] | string"), "{'role': 'user', 'content': 'Ab,cD'}");
  EXPECT_EQ(with("messages[0].keys() | list | join"), "rolecontent");
  EXPECT_EQ(with("bos_token ~ c | length"), "[<s>5]");
  EXPECT_EQ(Marked("{% macro f(x) %}<{{ x }}>{% endmacro %}{% set b %}{{ f(messages[0].content) }}"
                   "{% endset %}{{ b }}{% filter upper %}{{ b }}a{% endfilter %}",
                   input),
            "[<]Ab,cD[><]AB,CD[>A]");
  EXPECT_EQ(with("('\"' ~ c ~ '\"') | from_json"), "Ab,cD");
}

// A tokenizer as published, whose control tokens a user types: none may come of it.
TEST(TemplateTest, WhatAUserTypesNeverBecomesAControlToken) {
  for (const std::string family : {"qwen2", "llama3", "deepseek_v3"}) {
    ModelConfig model;
    model.path = absl::StrCat(BATON_SOURCE_DIR, "/tests/golden/tokenizers/", family);
    const auto tokenizer = *MakeTokenizer(model);
    std::stringstream text;
    text << std::ifstream(model.path + "/tokenizer.json").rdbuf();
    const JsonValue json = *ParseJson(text.str());
    std::set<TokenId> added;
    std::string typed;
    for (const JsonValue& token : *json.AsObject()->Find("added_tokens")->AsArray()) {
      std::int64_t id = 0;
      token.AsObject()->Find("id")->AsInt(&id);
      added.insert(static_cast<TokenId>(id));
      typed += *token.AsObject()->Find("content")->AsString() + " x";
    }
    ASSERT_FALSE(added.empty());
    const auto count = [&](const std::string& source) {
      const auto runs = *ChatTemplate::Parse(source, "t")->Render(Said(typed));
      const auto tokens = *tokenizer->EncodeRuns(runs);
      return std::count_if(tokens.begin(), tokens.end(),
                           [&added](TokenId id) { return added.contains(id); });
    };
    EXPECT_EQ(count("{{ messages[0].content }}"), 0) << family;
    EXPECT_EQ(count("{{ (' ' ~ messages[0].content ~ '\n').strip() | replace('x', 'y') }}"), 0);
    EXPECT_EQ(count("{{ messages | tojson }}{{ messages[0].content[::-1][::-1] }}"), 0);
    const auto whole = *tokenizer->Encode(typed, {});
    EXPECT_GT(std::count_if(whole.begin(), whole.end(),
                            [&added](TokenId id) { return added.contains(id); }),
              0)
        << "the same text, trusted, holds them";
  }
}

TEST(TemplateTest, EveryBombEndsAtALimit) {
  const ChatInput input = Said(std::string(1000, 'x'));
  for (const std::string source : {
           "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
           "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s * 9 %}"
           "{% endfor %}",
           "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}"
           "{% endfor %}",
           "{% set ns = namespace(l=1) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}"
           "{% endfor %}{{ ns.l }}",
           "{{ 'x' * 99999999 }}",
           "{{ [1] * 99999999 }}",
           "{{ 'x' | indent(99999999) }}",
           "{{ ('x\n' * 99999) | indent(9999) }}",
           "{{ ('x' * 99999).replace('', 'y' * 999) }}",
           "{% for i in range(9999) %}{{ messages[0].content * 99 }}{% endfor %}",
           "{{ range(99999) | unique | list | length }}",
           "{{ [1, 2] | tojson(indent=9999999) }}",
           "{% macro f(n) %}{{ f(n + 1) }}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
           "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
           "{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns.a == ns.a }}{{ ns.a | tojson }}",
           "{% for i in range(99999) %}{{ messages[0].content | upper | lower | upper }}{% endfor "
           "%}",
       }) {
    const auto parsed = ChatTemplate::Parse(source, "t");
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    const auto runs = parsed->Render(input);
    EXPECT_FALSE(runs.ok()) << source;
  }
}

TEST(TemplateTest, NestingIsBoundedWhateverNests) {
  const auto repeat = [](const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  for (const std::string& source :
       {repeat("{% if 1 %}", 3000), "{{ " + repeat("(", 30000),
        "{{ " + repeat("not ", 9000) + "1 }}", "{{ " + repeat("-", 30000) + "1 }}",
        "{{ x" + repeat("[0", 20000), "{{ 1" + repeat(" if 1 else 1", 4000) + " }}",
        "{{ a" + repeat(".a", 30000) + " }}", "{{ 1" + repeat("+1", 30000) + " }}",
        "{{ x" + repeat("|trim", 10000) + " }}", "{% set " + repeat("(", 30000),
        "{{ " + repeat("[", 30000), "{{ " + repeat("{1:", 20000)}) {
    const auto parsed = ChatTemplate::Parse(source, "t");
    EXPECT_FALSE(parsed.ok()) << source.substr(0, 20);
  }
  // What real templates do is far inside.
  EXPECT_EQ(Marked("{{ 'a'" + repeat(" + 'a'", 300) + " }}", Said("")),
            "[" + std::string(301, 'a') + "]");
}

TEST(TemplateTest, ALongMessageOfRaiseExceptionIsCutBetweenCharacters) {
  const std::string message = Marked("{{ raise_exception('x' + 'é' * 200) }}", Said(""));
  EXPECT_EQ(message.size(), 255U);
  EXPECT_TRUE(absl::EndsWith(message, "é"));
}

TEST(TemplateTest, ContinuingCutsAfterTheLastMessagesText) {
  ChatInput input = Said("count: one, ");
  input.add_generation_prompt = false;
  input.continue_final_message = true;
  EXPECT_EQ(Marked("<u>{{ messages[0].content }}</u>\n", input), "[<u>]count: one, ");
  EXPECT_EQ(Marked("<u>{{ messages[0].content | trim }}</u>", input), "[<u>]count: one,");
  EXPECT_TRUE(absl::StrContains(Marked("nothing", input), "continue_final_message"));
}

TEST(TemplateTest, KwargsHideFunctionsAndSpecialTokensButNotTheConversation) {
  ChatInput input = Said("x");
  input.kwargs = *ParseJson(R"({"range": "r", "bos_token": "b", "messages": 1})")->AsObject();
  EXPECT_EQ(Marked("{{ range }}{{ bos_token }}{{ messages | length }}", input), "rb[1]");
}

TEST(TemplateTest, ANameThatIsAssignedLaterIsMissingBefore) {
  ChatInput input = Said("x");
  input.kwargs = *ParseJson(R"({"a": "given"})")->AsObject();
  // As Jinja compiles it: the loop sees the root's variable, which is not assigned yet.
  EXPECT_EQ(Marked("{% for i in [1] %}({{ a }}){% endfor %}{% set a = 2 %}{{ a }}", input),
            "[()2]");
  EXPECT_EQ(Marked("{{ a }}{% set a = 2 %}{{ a }}", input), "given[2]");
  EXPECT_EQ(Marked("{% if 0 %}{% set a = 2 %}{% endif %}{{ a }}", input), "given");
}

}  // namespace
}  // namespace baton
