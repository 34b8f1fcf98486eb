#include "proto/prompt_logprobs.h"

#include <gtest/gtest.h>

#include "proto/convert.h"

namespace baton {
namespace {

constexpr LinkId kLink{1};

TEST(PromptLogprobsMessageTest, MessagesAreBoundedAndTogetherWhole) {
  link::Register facts;
  WorkerOutbox outbox(facts, Milliseconds(100));
  outbox.OnLinkUp(kLink);
  outbox.Take();
  Job job;
  job.request = {3, 4};
  job.attempt = 2;
  std::vector<PromptLogprob> tokens(2 * kPromptLogprobsPerMessage + 1);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const int number = static_cast<int>(i);
    tokens[i] = {.token = number, .logprob = -0.5F, .rank = 1 + number, .top = {{7, -0.25F}}};
  }
  SendPromptLogprobs(job, 65, tokens, kLink, outbox);
  const std::vector<WorkerOutput> sent = outbox.Take();
  ASSERT_EQ(sent.size(), 3U);
  std::vector<PromptLogprob> heard;
  for (const WorkerOutput& output : sent) {
    const link::PromptLogprobs& said = output.message.prompt_logprobs();
    EXPECT_EQ(FromProto(said.request()), job.request);
    EXPECT_EQ(said.attempt(), 2U);
    EXPECT_EQ(said.first_position(), 65 + heard.size());
    EXPECT_LE(said.tokens_size(), static_cast<int>(kPromptLogprobsPerMessage));
    for (const link::PromptLogprob& token : said.tokens()) heard.push_back(FromProto(token));
  }
  EXPECT_EQ(heard, tokens);
}

TEST(PromptLogprobsMessageTest, NothingIsSaidOfAnEmptyRun) {
  link::Register facts;
  WorkerOutbox outbox(facts, Milliseconds(100));
  outbox.OnLinkUp(kLink);
  outbox.Take();
  SendPromptLogprobs({}, 1, {}, kLink, outbox);
  EXPECT_TRUE(outbox.Take().empty());
}

TEST(PromptLogprobsMessageTest, AJobThatDoesNotAskStaysOneThatDoesNot) {
  link::Sampling unset;
  EXPECT_EQ(FromProto(unset).prompt_logprobs, -1);
  for (const int wanted : {-1, 0, 20}) {
    SamplingParams sampling;
    sampling.prompt_logprobs = wanted;
    link::Sampling said;
    ToProto(sampling, &said);
    EXPECT_EQ(FromProto(said), sampling) << wanted;
  }
}

}  // namespace
}  // namespace baton
