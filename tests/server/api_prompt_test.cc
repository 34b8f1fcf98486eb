// What answers say of their prompts: `echo`, its logprobs, `prompt_logprobs`; whole and streamed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/server/api_fixture.h"

namespace baton::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ApiPromptTest : public ApiFixture {};

TEST_F(ApiPromptTest, EchoPutsThePromptBeforeItsAnswerAndAsksNoWorkerForIt) {
  Start(AnswersWith("z"));
  const TestAnswer answer =
      Post(kCompletions, R"({"max_tokens":1,"echo":true,"prompt":["h\u00f6","b"]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(TextAt(answer.body, "choices.0.text"), "\"höz\"");
  EXPECT_EQ(TextAt(answer.body, "choices.1.text"), "\"bz\"");
  EXPECT_EQ(TextAt(answer.body, "choices.0.logprobs"), "null");
  EXPECT_EQ(gateway_.requests().at(0).sampling.prompt_logprobs, -1);
}

TEST_F(ApiPromptTest, EchoOfIdsIsTheirText) {
  Start(AnswersWith("z"));
  const std::string ids = R"("max_tokens":1,"echo":true,"prompt":[256,104,195,182])";
  EXPECT_EQ(TextAt(Post(kCompletions, absl::StrCat("{", ids, "}")).body, "choices.0.text"),
            "\"höz\"");
}

// lm-evaluation-harness reads these: the first entry is null, offsets count characters.
TEST_F(ApiPromptTest, EchoWithLogprobsTellsThoseOfThePromptFirst) {
  Start(AnswersWith("z"));
  const TestAnswer answer =
      Post(kCompletions, R"({"max_tokens":1,"echo":true,"logprobs":1,"prompt":"h\u00f6"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const std::string logprobs = TextAt(answer.body, "choices.0.logprobs");
  EXPECT_EQ(TextAt(logprobs, "token_logprobs"), "[null,-0.5,-1.0,-1.5,-0.25]");
  EXPECT_EQ(TextAt(logprobs, "text_offset"), "[0,0,1,1,2]");
  EXPECT_EQ(TextAt(logprobs, "tokens.4"), "\"z\"");
  EXPECT_EQ(TextAt(logprobs, "tokens.1"), "\"h\"");
  EXPECT_EQ(TextAt(logprobs, "top_logprobs.0"), "null");
  EXPECT_EQ(TextAt(logprobs, "top_logprobs.1"), R"({"i":-0.125,"h":-0.5})");
  EXPECT_EQ(gateway_.requests().at(0).sampling.prompt_logprobs, 1);
}

TEST_F(ApiPromptTest, NoTokenIsMadeWhereOnlyThePromptIsWanted) {
  Start(AnswersWith("z"));
  for (const char* stream : {"", R"("stream":true,)"}) {
    const TestAnswer answer =
        Post(kCompletions,
             absl::StrCat("{", stream,
                          R"("stream_options":null,"max_tokens":0,"echo":true,"logprobs":0,)",
                          R"("prompt":"ab"})"));
    ASSERT_EQ(answer.status, 200) << answer.body;
    const std::string json = *stream == '\0' ? answer.body : EventsOf(answer.body).at(0);
    EXPECT_EQ(TextAt(json, "choices.0.text"), "\"ab\"") << json;
    EXPECT_EQ(TextAt(json, "choices.0.finish_reason"), "\"length\"");
    EXPECT_EQ(TextAt(json, "choices.0.logprobs.token_logprobs"), "[null,-0.5,-1.0]");
    if (*stream == '\0') {
      EXPECT_EQ(TextAt(json, "usage.completion_tokens"), "0");
    }
  }
}

TEST_F(ApiPromptTest, AStreamTellsOfThePromptWithItsFirstEvent) {
  Start(AnswersWith("yz"));
  const TestAnswer answer = Post(kCompletions, R"({"max_tokens":2,"echo":true,"logprobs":0,"n":2,
      "prompt_logprobs":1,"stream":true,"prompt":"ab"})");
  const auto events = EventsOf(answer.body);
  ASSERT_THAT(events, SizeIs(5)) << answer.body;
  for (int choice = 0; choice < 2; ++choice) {
    int seen = 0;
    for (const std::string& event : events) {
      if (event == "[DONE]" || TextAt(event, "choices.0.index") != absl::StrCat(choice)) continue;
      const bool first = seen++ == 0;
      EXPECT_EQ(TextAt(event, "choices.0.text"), first ? "\"aby\"" : "\"z\"");
      EXPECT_EQ(TextAt(event, "choices.0.logprobs.token_logprobs"),
                first ? "[null,-0.5,-1.0,-0.25]" : "[-0.25]");
      EXPECT_EQ(TextAt(event, "choices.0.logprobs.text_offset"), first ? "[0,0,1,2]" : "[3]");
      EXPECT_EQ(event.find("\"prompt_logprobs\"") != std::string::npos, first) << event;
    }
    EXPECT_EQ(seen, 2);
  }
}

TEST_F(ApiPromptTest, PromptLogprobsAreAnObjectATokenById) {
  Start(AnswersWith("z"));
  const TestAnswer answer =
      Post(kCompletions, R"({"max_tokens":1,"prompt_logprobs":2,"prompt":"ab"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(TextAt(answer.body, "choices.0.prompt_logprobs.0"), "null");
  EXPECT_EQ(TextAt(answer.body, "choices.0.prompt_logprobs.1"),
            R"({"97":{"logprob":-0.5,"rank":2,"decoded_token":"a"},)"
            R"("98":{"logprob":-0.125,"rank":1,"decoded_token":"b"}})");
  EXPECT_EQ(TextAt(answer.body, "choices.0.logprobs"), "null");
  EXPECT_EQ(TextAt(answer.body, "choices.0.text"), "\"z\"");
}

TEST_F(ApiPromptTest, AChatsChoicesSpeakOfTheirPromptOnce) {
  Start(AnswersWith("z"));
  const std::string body = R"("max_tokens":1,"n":2,"prompt_logprobs":0,
      "messages":[{"role":"user","content":"a"}]})";
  const TestAnswer whole = Post(kChat, absl::StrCat("{", body));
  ASSERT_EQ(whole.status, 200) << whole.body;
  EXPECT_EQ(TextAt(whole.body, "prompt_logprobs.0"), "null");
  EXPECT_THAT(TextAt(whole.body, "prompt_logprobs.1"), HasSubstr("\"rank\":2"));
  EXPECT_EQ(gateway_.requests().at(0).sampling.prompt_logprobs, 0);
  EXPECT_EQ(gateway_.requests().at(1).sampling.prompt_logprobs, -1);
  const TestAnswer stream = Post(kChat, absl::StrCat("{\"stream\":true,", body));
  int told = 0;
  for (const std::string& event : EventsOf(stream.body)) {
    told += event.find("\"prompt_logprobs\"") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(told, 1) << stream.body;
}

TEST_F(ApiPromptTest, WhatWouldFillTooMuchMemoryIsRefusedStreamedOrNot) {
  // A worker that fails what reaches it: 503 is "not refused at the door".
  Start([](const Request&, std::unique_ptr<ResponseObserver> observer) {
    observer->OnFailed(absl::UnavailableError("no answer here"), "no_worker");
  });
  std::string prompt(7999, 'x');
  for (const char* stream : {"true", "false"}) {
    const std::string head =
        absl::StrCat(R"({"max_tokens":1,"stream":)", stream, R"(,"prompt":")", prompt, "\",");
    // 8,000 tokens with 25 entries each would be the bound: 21 pass once, not for two choices.
    EXPECT_EQ(Post(kCompletions, absl::StrCat(head, R"("prompt_logprobs":20})")).status, 503);
    const TestAnswer refused =
        Post(kCompletions, absl::StrCat(head, R"("prompt_logprobs":20,"n":2})"));
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(TextAt(refused.body, "error.param"), "\"prompt_logprobs\"");
  }
}

}  // namespace
}  // namespace baton::testing
