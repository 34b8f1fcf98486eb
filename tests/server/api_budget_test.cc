// What an answer tells of its hand-off: in its usage when asked for, and as Server-Timing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/server/api_fixture.h"

namespace baton::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class ApiBudgetTest : public ApiFixture {};

TEST_F(ApiBudgetTest, TheHandoffBudgetComesWhenAskedFor) {
  Start(AnswersWith("a"));
  const TestAnswer answer = Post(kChat, R"({"stream":true,"max_tokens":1,
      "return_handoff_budget":true,"messages":[{"role":"user","content":"x"}]})");
  const auto events = EventsOf(answer.body);
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(TextAt(events[1], "usage.handoff.exposed_ms"), "1.5");
  EXPECT_EQ(TextAt(events[1], "usage.handoff.wire"), "\"tcp\"");
}

TEST_F(ApiBudgetTest, AWholeAnswerCarriesItsTimingInAHeader) {
  Start(AnswersWith("a"));
  const TestAnswer answer = Post(kCompletions, R"({"prompt":"x","max_tokens":1})");
  EXPECT_THAT(answer.headers.at("server-timing"), HasSubstr("exposed;dur=1.5,"));
  EXPECT_THAT(answer.headers.at("server-timing"), HasSubstr("wire;desc=tcp"));
}

TEST_F(ApiBudgetTest, AStreamCarriesItsTimingInATrailerForAClientThatTakesOne) {
  Start(AnswersWith("a"));
  for (const char* te : {"TE: trailers\r\n", "TE: gzip\r\n"}) {
    HttpTestClient client(port());
    client.Post(kCompletions, R"({"stream":true,"prompt":"x","max_tokens":1})", te);
    const TestAnswer answer = client.Read();
    EXPECT_TRUE(answer.complete);
    const bool takes = std::string(te).find("trailers") != std::string::npos;
    EXPECT_EQ(answer.headers.count("trailer"), takes ? 1U : 0U);
    ASSERT_EQ(answer.trailers.count("server-timing"), takes ? 1U : 0U);
    if (!takes) continue;
    EXPECT_THAT(answer.trailers.at("server-timing"), HasSubstr("exposed;dur=1.5,"));
  }
}

TEST_F(ApiBudgetTest, WithoutAHandoffItsBudgetIsNullAndTheRestIsToTheMicrosecond) {
  Start([](const Request& request, std::unique_ptr<ResponseObserver> observer) {
    HandoffBudget budget;
    budget.decode_worker = "decode-0";
    budget.first_token_ms = 1.0 / 3;
    observer->OnTokens({ByteToken('a', request.sampling)});
    observer->OnFinished(FinishReason::kLength, {}, budget);
  });
  const std::string body =
      Post(kCompletions, R"({"prompt":"x","max_tokens":1,"return_handoff_budget":true})").body;
  EXPECT_EQ(TextAt(body, "usage.handoff"),
            R"({"prefill_worker":null,"decode_worker":"decode-0","wire":null,"queue_ms":null,)"
            R"("prefill_ms":null,"offer_ms":null,"exposed_ms":null,"commit_ms":null,)"
            R"("first_token_ms":0.333,"bytes":null,"pages_sent":null,"pages_saved":null})");
}

}  // namespace
}  // namespace baton::testing
