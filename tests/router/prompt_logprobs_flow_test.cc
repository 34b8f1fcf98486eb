// A request that asks what the model gives to its prompt: all of it reaches the observer once and
// before the answer, whoever computes it and however often it begins anew.
#include <gtest/gtest.h>

#include "router/request_flow.h"
#include "tests/router/heard.h"
#include "tests/router/messages.h"

namespace baton {
namespace {

constexpr RequestId kId{1, 2};
constexpr LinkId kPrefill{10};
constexpr LinkId kDecode{20};
constexpr Instant kStart{std::chrono::hours(1)};

Request Asking(int prompt_logprobs) {
  Request request;
  request.id = kId;
  request.prompt = {7, 8, 9, 10};
  request.sampling.prompt_logprobs = prompt_logprobs;
  request.stop.max_tokens = 4;
  return request;
}

class PromptLogprobsFlowTest : public ::testing::Test {
 protected:
  void Start(bool local, int prompt_logprobs = 0) {
    flow_ = std::make_unique<RequestFlow>(Asking(prompt_logprobs), Hearing(heard_), FlowLimits{},
                                          kStart);
    Dispatch(local);
  }

  void Dispatch(bool local) {
    FlowPair pair;
    if (!local) pair.prefill = FlowWorker{kPrefill, "prefill-0", Incarnation{1}};
    pair.decode = FlowWorker{kDecode, "decode-0", Incarnation{2}};
    pair.introduction = std::string(16, 'i');
    out_.clear();
    flow_->Dispatch(pair, kStart, out_);
  }

  void Prompt(LinkId from, std::uint32_t first, const std::vector<TokenId>& tokens) {
    flow_->OnPromptLogprobs(from, PromptLogprobsOf(kId, flow_->attempt(), first, tokens), kStart,
                            out_);
  }

  void Tokens(LinkId from, std::uint32_t first, const std::vector<TokenId>& tokens) {
    flow_->OnTokens(from, TokensOf(kId, flow_->attempt(), first, tokens), kStart, out_);
  }

  std::vector<TokenId> HeardPrompt() const {
    std::vector<TokenId> tokens;
    for (const PromptLogprob& token : heard_.prompt) {
      EXPECT_EQ(token.logprob, -static_cast<float>(token.token));
      tokens.push_back(token.token);
    }
    return tokens;
  }

  bool Asked() const {
    return out_[0].message.decode().sequence().sampling().has_prompt_logprobs();
  }

  Heard heard_;
  RouterOutbox out_;
  std::unique_ptr<RequestFlow> flow_;
};

TEST_F(PromptLogprobsFlowTest, TheyComeOnceAndBeforeTheAnswer) {
  for (const bool local : {false, true}) {
    heard_ = {};
    Start(local);
    EXPECT_TRUE(Asked());
    const LinkId computes = local ? kDecode : kPrefill;
    Prompt(computes, 1, {8, 9});
    Prompt(computes, 2, {9});
    EXPECT_TRUE(flow_->ScoresPrompt());
    Prompt(computes, 3, {10});
    EXPECT_FALSE(flow_->ScoresPrompt());
    Tokens(computes, 0, {100});
    EXPECT_EQ(HeardPrompt(), (std::vector<TokenId>{8, 9, 10}));
    EXPECT_EQ(heard_.tokens, (std::vector<TokenId>{100}));
    EXPECT_FALSE(heard_.after_end);
  }
}

TEST_F(PromptLogprobsFlowTest, DecodesTokensWaitForWhatPrefillSaysOfThePrompt) {
  Start(false);
  Tokens(kDecode, 1, {101});
  EXPECT_TRUE(heard_.tokens.empty());
  Prompt(kPrefill, 1, {8, 9, 10});
  Tokens(kPrefill, 0, {100});
  EXPECT_EQ(heard_.tokens, (std::vector<TokenId>{100, 101}));
}

TEST_F(PromptLogprobsFlowTest, WhatIsNotOfThePromptBreaksTheAttempt) {
  const struct {
    const char* why;
    LinkId from;
    std::uint32_t first;
    std::vector<TokenId> tokens;
  } rows[] = {
      {"position 0 has none", kPrefill, 0, {7}}, {"a gap", kPrefill, 2, {9}},
      {"another token", kPrefill, 1, {9}},       {"beyond the prompt", kPrefill, 1, {8, 9, 10, 11}},
      {"not who computes it", kDecode, 1, {8}},
  };
  for (const auto& row : rows) {
    heard_ = {};
    Start(false);
    Prompt(row.from, row.first, row.tokens);
    EXPECT_EQ(flow_->state(), FlowState::kQueued) << row.why;
    EXPECT_TRUE(heard_.prompt.empty()) << row.why;
  }
}

TEST_F(PromptLogprobsFlowTest, MoreAlternativesThanWereAskedForBreakTheAttempt) {
  Start(false, 1);
  link::PromptLogprobs said = PromptLogprobsOf(kId, 1, 1, {8});
  said.mutable_tokens(0)->add_top();
  said.mutable_tokens(0)->add_top();
  flow_->OnPromptLogprobs(kPrefill, said, kStart, out_);
  EXPECT_EQ(flow_->state(), FlowState::kQueued);
}

TEST_F(PromptLogprobsFlowTest, NobodySaysWhatNobodyAsked) {
  Start(false, -1);
  EXPECT_FALSE(Asked());
  Prompt(kPrefill, 1, {8});
  EXPECT_EQ(flow_->state(), FlowState::kQueued);
  EXPECT_TRUE(heard_.prompt.empty());
}

TEST_F(PromptLogprobsFlowTest, AnAnswerBeforeAllOfThemBreaksTheAttempt) {
  Start(false);
  Prompt(kPrefill, 1, {8, 9});
  Tokens(kPrefill, 0, {100});
  EXPECT_TRUE(heard_.tokens.empty());
  EXPECT_EQ(flow_->state(), FlowState::kQueued);
  EXPECT_EQ(flow_->retry_reason(), "failed");
}

TEST_F(PromptLogprobsFlowTest, ANewAttemptTellsTheRestAndOneThatHasAllAsksNoMore) {
  Start(false);
  Prompt(kPrefill, 1, {8, 9});
  flow_->OnWorkerLost(kPrefill, kStart, out_);
  Dispatch(true);
  EXPECT_TRUE(Asked());
  Prompt(kDecode, 1, {8});
  Prompt(kDecode, 2, {9, 10});
  Tokens(kDecode, 0, {100});
  flow_->OnWorkerLost(kDecode, kStart, out_);
  Dispatch(false);
  EXPECT_FALSE(Asked());
  EXPECT_EQ(HeardPrompt(), (std::vector<TokenId>{8, 9, 10}));
}

}  // namespace
}  // namespace baton
