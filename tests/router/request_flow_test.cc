#include "router/request_flow.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/router/heard.h"
#include "tests/router/messages.h"

namespace baton {
namespace {

constexpr RequestId kId{1, 2};
constexpr LinkId kPrefill{10};
constexpr LinkId kDecode{20};
constexpr LinkId kStranger{30};
constexpr Instant kStart{std::chrono::hours(1)};

Request RequestOf(int max_tokens = 4) {
  Request request;
  request.id = kId;
  request.prompt = {7, 8, 9};
  request.stop.max_tokens = max_tokens;
  request.time_left = std::chrono::seconds(10);
  return request;
}

FlowPair PairOf(bool local = false) {
  FlowPair pair;
  if (!local) pair.prefill = FlowWorker{kPrefill, "prefill-0", Incarnation{1}};
  pair.decode = FlowWorker{kDecode, "decode-0", Incarnation{2}};
  pair.decode_transfer_address = "address";
  pair.introduction = std::string(16, 'i');
  return pair;
}

class RequestFlowTest : public ::testing::Test {
 protected:
  explicit RequestFlowTest(int max_tokens = 4)
      : flow_(RequestOf(max_tokens), Hearing(heard_), FlowLimits{}, kStart) {}

  void Dispatch(bool local = false) { flow_.Dispatch(PairOf(local), now_, out_); }
  void Tokens(LinkId from, std::uint32_t first, const std::vector<TokenId>& tokens,
              FinishReason finish = FinishReason::kNone) {
    flow_.OnTokens(from, TokensOf(kId, flow_.attempt(), first, tokens, finish), now_, out_);
  }
  void Failed(LinkId from, link::FailReason reason, bool retryable) {
    flow_.OnFailed(from, FailedOf(kId, flow_.attempt(), reason, retryable), now_, out_);
  }
  int Cancels(LinkId link) const {
    int count = 0;
    for (const RouterOutput& output : out_) {
      count += output.link == link && output.message.has_cancel() ? 1 : 0;
    }
    return count;
  }

  Heard heard_;
  RouterOutbox out_;
  Instant now_ = kStart;
  RequestFlow flow_;
};

TEST_F(RequestFlowTest, BothJobsLeaveAtOnceAndAgree) {
  Dispatch();
  ASSERT_EQ(out_.size(), 2U);
  EXPECT_EQ(out_[0].link, kDecode);
  EXPECT_EQ(out_[1].link, kPrefill);
  const link::DecodeJob& decode = out_[0].message.decode();
  const link::PrefillJob& prefill = out_[1].message.prefill();
  EXPECT_EQ(decode.sequence().SerializeAsString(), prefill.sequence().SerializeAsString());
  EXPECT_EQ(decode.sequence().attempt(), 1U);
  EXPECT_EQ(decode.sequence().prompt_tokens(), 3U);
  EXPECT_EQ(decode.sequence().deadline_ms(), 10'000U);
  EXPECT_EQ(decode.prefill().worker_id(), "prefill-0");
  EXPECT_EQ(prefill.decode().transfer_address(), "address");
  EXPECT_EQ(decode.prefill().introduction(), prefill.decode().introduction());
}

TEST_F(RequestFlowTest, TokensArriveInOrderAndOnceWhoeverIsFirst) {
  Dispatch();
  Tokens(kPrefill, 0, {100});
  Tokens(kDecode, 0, {100, 101});
  Tokens(kDecode, 2, {102});
  Tokens(kDecode, 2, {102});
  EXPECT_EQ(heard_.tokens, (std::vector<TokenId>{100, 101, 102}));
  EXPECT_EQ(heard_.ends, 0);
}

TEST_F(RequestFlowTest, TheAnswerEndsWithItsBudget) {
  Dispatch();
  flow_.OnAccepted(kPrefill, AcceptedOf(kId, 1, 2));
  now_ += Milliseconds(5);
  Tokens(kPrefill, 0, {100});
  flow_.OnReport(kPrefill, ReportOf(kId, 1, "committed"));
  Tokens(kDecode, 0, {100, 101}, FinishReason::kStop);
  ASSERT_EQ(heard_.ends, 1);
  EXPECT_EQ(heard_.finish, FinishReason::kStop);
  EXPECT_EQ(heard_.usage.prompt_tokens, 3);
  EXPECT_EQ(heard_.usage.completion_tokens, 2);
  EXPECT_EQ(heard_.usage.cached_tokens, 2);
  EXPECT_EQ(heard_.budget.prefill_worker, "prefill-0");
  EXPECT_EQ(heard_.budget.wire, "shm");
  EXPECT_DOUBLE_EQ(heard_.budget.exposed_ms, 1.5);
  EXPECT_DOUBLE_EQ(heard_.budget.first_token_ms, 5);
}

TEST_F(RequestFlowTest, AFinishedAnswerWaitsAMomentForTheReport) {
  Dispatch();
  Tokens(kDecode, 0, {100}, FinishReason::kStop);
  EXPECT_EQ(flow_.state(), FlowState::kClosing);
  EXPECT_EQ(heard_.ends, 0);
  flow_.OnReport(kPrefill, ReportOf(kId, 1, "committed"));
  EXPECT_EQ(heard_.ends, 1);
  EXPECT_EQ(heard_.budget.pages_sent, 3U);
}

TEST_F(RequestFlowTest, AReportThatNeverComesHoldsNothingUp) {
  Dispatch();
  Tokens(kDecode, 0, {100}, FinishReason::kStop);
  EXPECT_EQ(flow_.due(), kStart + RequestFlow::kReportWait);
  flow_.OnTimer(flow_.due(), out_);
  EXPECT_EQ(heard_.ends, 1);
  EXPECT_TRUE(heard_.status.ok());
}

TEST_F(RequestFlowTest, AFirstTokenThatIsTheLastEndsDecodesWait) {
  Dispatch();
  Tokens(kPrefill, 0, {100}, FinishReason::kLength);
  EXPECT_EQ(heard_.ends, 1);
  EXPECT_EQ(Cancels(kDecode), 1);
  EXPECT_EQ(heard_.finish, FinishReason::kLength);
}

TEST_F(RequestFlowTest, MoreTokensThanWereAskedForAreCut) {
  Dispatch();
  Tokens(kDecode, 0, {1, 2, 3, 4, 5, 6}, FinishReason::kLength);
  EXPECT_EQ(heard_.tokens.size(), 4U);
}

TEST_F(RequestFlowTest, AnOlderAttemptsAndAStrangersMessagesAreDropped) {
  Dispatch();
  flow_.OnWorkerLost(kDecode, now_, out_);
  Dispatch();
  flow_.OnTokens(kDecode, TokensOf(kId, 1, 0, {66}), now_, out_);
  flow_.OnFailed(kDecode, FailedOf(kId, 1, link::FAIL_INTERNAL, false), now_, out_);
  flow_.OnTokens(kStranger, TokensOf(kId, 2, 0, {66}), now_, out_);
  EXPECT_TRUE(heard_.tokens.empty());
  EXPECT_EQ(flow_.state(), FlowState::kRunning);
}

TEST_F(RequestFlowTest, ALostDecodeWorkerIsANewAttemptWithTheTokensSoFar) {
  Dispatch();
  Tokens(kPrefill, 0, {100});
  Tokens(kDecode, 0, {100, 101});
  flow_.OnWorkerLost(kDecode, now_, out_);
  EXPECT_EQ(flow_.state(), FlowState::kQueued);
  EXPECT_EQ(Cancels(kPrefill), 1);
  out_.clear();
  Dispatch();
  const link::Sequence& sequence = out_[0].message.decode().sequence();
  EXPECT_EQ(sequence.attempt(), 2U);
  EXPECT_EQ(std::vector<TokenId>(sequence.tokens().begin(), sequence.tokens().end()),
            (std::vector<TokenId>{7, 8, 9, 100, 101}));
  EXPECT_EQ(sequence.prompt_tokens(), 3U);
  Tokens(kPrefill, 2, {102});
  Tokens(kDecode, 2, {102, 103}, FinishReason::kLength);
  flow_.OnTimer(flow_.due(), out_);
  EXPECT_EQ(heard_.tokens, (std::vector<TokenId>{100, 101, 102, 103}));
  EXPECT_EQ(heard_.ends, 1);
}

TEST_F(RequestFlowTest, ALostPrefillWorkerMattersOnlyBeforeTheCommit) {
  Dispatch();
  Tokens(kPrefill, 0, {100});
  flow_.OnWorkerLost(kPrefill, now_, out_);
  EXPECT_EQ(flow_.state(), FlowState::kQueued);
  EXPECT_EQ(Cancels(kDecode), 1);
  Dispatch();
  flow_.OnReport(kPrefill, ReportOf(kId, 2, "committed"));
  flow_.OnWorkerLost(kPrefill, now_, out_);
  EXPECT_EQ(flow_.state(), FlowState::kRunning);
}

TEST_F(RequestFlowTest, AFailureIsTriedElsewhereAfterAWait) {
  Dispatch();
  Failed(kDecode, link::FAIL_QUEUE_FULL, true);
  EXPECT_EQ(flow_.state(), FlowState::kQueued);
  EXPECT_EQ(flow_.ready_at(), kStart + FlowLimits{}.backoff);
  EXPECT_EQ(flow_.retry_reason(), "refused");
  EXPECT_EQ(Cancels(kPrefill), 1);  // the first leg to fail ends both
  EXPECT_EQ(flow_.avoid(), (std::vector<LinkId>{kDecode, kPrefill}));
}

TEST_F(RequestFlowTest, TooManyFailuresWithoutATokenAreTheClientsError) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(heard_.ends, 0);
    Dispatch();
    Failed(kPrefill, link::FAIL_HANDOFF, true);
  }
  EXPECT_EQ(heard_.ends, 1);
  EXPECT_EQ(heard_.code, "handoff_failed");
  EXPECT_EQ(heard_.status.code(), absl::StatusCode::kUnavailable);
}

TEST_F(RequestFlowTest, ARefusalIsWaitedOutAsLongAsTheQueueAllows) {
  for (int i = 0; i < 10; ++i) {
    Dispatch();
    Failed(kDecode, link::FAIL_NO_ROOM, true);
    ASSERT_EQ(heard_.ends, 0);
    now_ += FlowLimits{}.queue_max / 10;
  }
  Dispatch();
  Failed(kDecode, link::FAIL_NO_ROOM, true);
  EXPECT_EQ(heard_.ends, 1);
  EXPECT_EQ(heard_.code, "queue_full");
}

TEST_F(RequestFlowTest, ATokenOfDecodesForgivesFailures) {
  for (std::uint32_t i = 0; i < 3; ++i) {
    Dispatch();
    Tokens(kDecode, i, {static_cast<TokenId>(i)});
    Failed(kDecode, link::FAIL_HANDOFF, true);
    EXPECT_EQ(flow_.state(), FlowState::kQueued);
    EXPECT_EQ(flow_.ready_at(), kStart + FlowLimits{}.backoff);
  }
}

// Without a wire that works, prefill computes a token an attempt: that must not go on for ever.
TEST_F(RequestFlowTest, ATokenOfPrefillsForgivesNoFailure) {
  for (std::uint32_t i = 0; i < 3; ++i) {
    ASSERT_EQ(heard_.ends, 0);
    Dispatch();
    Tokens(kPrefill, i, {static_cast<TokenId>(i)});
    Failed(kPrefill, link::FAIL_HANDOFF, true);
  }
  EXPECT_EQ(heard_.ends, 1);
  EXPECT_EQ(heard_.code, "handoff_failed");
  EXPECT_EQ(heard_.tokens, (std::vector<TokenId>{0, 1, 2}));
}

TEST_F(RequestFlowTest, AnAnswerThatIsWholeBeforeItsRequestEndsIsFinished) {
  Dispatch();
  Tokens(kDecode, 0, {100});
  flow_.Cancel(/*answered=*/true, out_);
  EXPECT_EQ(flow_.outcome(), "finished");
  EXPECT_EQ(heard_.status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Cancels(kDecode), 1);
}

TEST_F(RequestFlowTest, AHoleInAWorkersTokensIsAFailureAndNotAHoleInTheAnswer) {
  Dispatch();
  Tokens(kDecode, 2, {102});
  EXPECT_TRUE(heard_.tokens.empty());
  EXPECT_EQ(flow_.state(), FlowState::kQueued);
}

TEST_F(RequestFlowTest, TokensThatOvertakeTheFirstOneWaitForIt) {
  Dispatch();
  Tokens(kDecode, 1, {101});
  Tokens(kDecode, 2, {102}, FinishReason::kStop);
  EXPECT_TRUE(heard_.tokens.empty());
  EXPECT_EQ(flow_.state(), FlowState::kRunning);
  Tokens(kPrefill, 0, {100});
  EXPECT_EQ(heard_.tokens, (std::vector<TokenId>{100, 101, 102}));
  EXPECT_EQ(flow_.state(), FlowState::kClosing);
}

TEST_F(RequestFlowTest, AHoleBehindTokensThatWaitIsAFailure) {
  Dispatch();
  Tokens(kDecode, 1, {101});
  Tokens(kDecode, 3, {103});
  Tokens(kPrefill, 0, {100});
  EXPECT_EQ(heard_.tokens, (std::vector<TokenId>{100, 101}));
  EXPECT_EQ(flow_.state(), FlowState::kQueued);
}

TEST_F(RequestFlowTest, APrefillWorkerLostBeforeItsTokenCameMattersThoughDecodeHasThePages) {
  Dispatch();
  Tokens(kDecode, 1, {101});
  flow_.OnReport(kPrefill, ReportOf(kId, 1, "committed"));
  flow_.OnWorkerLost(kPrefill, now_, out_);
  EXPECT_EQ(flow_.state(), FlowState::kQueued);
  Dispatch();
  Tokens(kDecode, 0, {100, 101});
  EXPECT_EQ(heard_.tokens, (std::vector<TokenId>{100, 101}));
}

TEST_F(RequestFlowTest, OnlySoManyTokensWaitForTheFirst) {
  Dispatch();
  for (std::uint32_t i = 0; i < RequestFlow::kAheadMax; ++i) Tokens(kDecode, i + 1, {1});
  EXPECT_EQ(flow_.state(), FlowState::kRunning);
  Tokens(kDecode, RequestFlow::kAheadMax + 1, {1});
  EXPECT_EQ(flow_.state(), FlowState::kQueued);
}

TEST_F(RequestFlowTest, AFinishThatNobodyKnowsIsAFailure) {
  Dispatch();
  Tokens(kDecode, 0, {100}, static_cast<FinishReason>(9));
  EXPECT_EQ(flow_.state(), FlowState::kQueued);
}

TEST_F(RequestFlowTest, ARequestThatFitsNowhereIsTheClientsError) {
  Dispatch();
  Failed(kDecode, link::FAIL_NO_ROOM, false);
  EXPECT_EQ(heard_.ends, 1);
  EXPECT_EQ(heard_.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(heard_.code, "context_length_exceeded");
}

TEST_F(RequestFlowTest, WithoutAWorkerAFreshRequestFailsAtOnceAndABegunOneWaits) {
  Heard fresh;
  RequestFlow newcomer(RequestOf(), Hearing(fresh), FlowLimits{}, kStart);
  newcomer.OnNoWorker(kStart);
  EXPECT_EQ(fresh.code, "no_worker");
  EXPECT_EQ(fresh.status.code(), absl::StatusCode::kUnavailable);

  Dispatch();
  flow_.OnWorkerLost(kDecode, kStart, out_);
  flow_.OnNoWorker(kStart + FlowLimits{}.lost_worker_wait - Duration(1));
  EXPECT_EQ(heard_.ends, 0);
  flow_.OnNoWorker(kStart + FlowLimits{}.lost_worker_wait);
  EXPECT_EQ(heard_.code, "no_worker");
}

TEST_F(RequestFlowTest, TheDeadlineEndsItInEveryState) {
  Heard queued;
  RequestFlow waiting(RequestOf(), Hearing(queued), FlowLimits{}, kStart);
  waiting.OnTimer(kStart + std::chrono::seconds(10), out_);
  EXPECT_EQ(queued.code, "deadline");

  Dispatch();
  flow_.OnTimer(kStart + std::chrono::seconds(10) - Duration(1), out_);
  EXPECT_EQ(heard_.ends, 0);
  flow_.OnTimer(kStart + std::chrono::seconds(10), out_);
  EXPECT_EQ(heard_.status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Cancels(kDecode), 1);
  EXPECT_EQ(Cancels(kPrefill), 1);
}

TEST_F(RequestFlowTest, DecodeAloneNeedsNoReportAndStatesItsOwnHits) {
  Dispatch(/*local=*/true);
  ASSERT_EQ(out_.size(), 1U);
  EXPECT_FALSE(out_[0].message.decode().has_prefill());
  EXPECT_TRUE(flow_.OnAccepted(kDecode, AcceptedOf(kId, 1, 1)));
  Tokens(kDecode, 0, {100}, FinishReason::kStop);
  EXPECT_EQ(heard_.ends, 1);
  EXPECT_EQ(heard_.usage.cached_tokens, 1);
  EXPECT_EQ(heard_.budget.prefill_worker, "");
}

TEST_F(RequestFlowTest, HitsOfARetryAreNotTheRequestsHits) {
  Dispatch();
  flow_.OnAccepted(kPrefill, AcceptedOf(kId, 1, 0));
  flow_.OnWorkerLost(kDecode, now_, out_);
  Dispatch();
  flow_.OnAccepted(kPrefill, AcceptedOf(kId, 2, 2));  // computed by the first attempt
  Tokens(kPrefill, 0, {1}, FinishReason::kStop);
  EXPECT_EQ(heard_.usage.cached_tokens, 0);
}

// Every event in every state: nothing crashes, the end comes at most once, and nothing follows it.
TEST(RequestFlowTableTest, EveryEventInEveryStateKeepsThePromise) {
  using Step = std::function<void(RequestFlow&, RouterOutbox&)>;
  const std::vector<Step> reach = {
      [](RequestFlow&, RouterOutbox&) {},  // queued
      [](RequestFlow& flow, RouterOutbox& out) { flow.Dispatch(PairOf(), kStart, out); },
      [](RequestFlow& flow, RouterOutbox& out) {  // streaming
        flow.Dispatch(PairOf(), kStart, out);
        flow.OnTokens(kDecode, TokensOf(kId, 1, 0, {1}), kStart, out);
      },
      [](RequestFlow& flow, RouterOutbox& out) {  // closing
        flow.Dispatch(PairOf(), kStart, out);
        flow.OnTokens(kDecode, TokensOf(kId, 1, 0, {1}, FinishReason::kStop), kStart, out);
      },
      [](RequestFlow& flow, RouterOutbox& out) {  // queued again
        flow.Dispatch(PairOf(), kStart, out);
        flow.OnWorkerLost(kDecode, kStart, out);
      },
      [](RequestFlow& flow, RouterOutbox& out) { flow.Cancel(false, out); },  // ended
      [](RequestFlow& flow, RouterOutbox& out) {                              // finished
        flow.Dispatch(PairOf(true), kStart, out);
        flow.OnTokens(kDecode, TokensOf(kId, 1, 0, {1}, FinishReason::kStop), kStart, out);
      }};
  std::vector<Step> events = {
      [](RequestFlow& flow, RouterOutbox& out) { flow.Cancel(false, out); },
      [](RequestFlow& flow, RouterOutbox& out) { flow.Cancel(true, out); },
      [](RequestFlow& flow, RouterOutbox&) { flow.OnNoWorker(kStart); },
      [](RequestFlow& flow, RouterOutbox& out) { flow.OnTimer(kStart, out); },
      [](RequestFlow& flow, RouterOutbox& out) {
        flow.OnTimer(kStart + std::chrono::hours(1), out);
      },
      [](RequestFlow& flow, RouterOutbox& out) {
        flow.Fail(absl::InternalError("x"), "internal", out);
      }};
  for (const LinkId from : {kPrefill, kDecode, kStranger}) {
    events.push_back(
        [from](RequestFlow& flow, RouterOutbox& out) { flow.OnWorkerLost(from, kStart, out); });
    events.push_back([from](RequestFlow& flow, RouterOutbox&) {
      flow.OnAccepted(from, AcceptedOf(kId, 1, 1));
      flow.OnReport(from, ReportOf(kId, 1, "committed"));
    });
    for (const bool retryable : {false, true}) {
      for (int reason = 0; reason <= link::FailReason_MAX; ++reason) {
        events.push_back([=](RequestFlow& flow, RouterOutbox& out) {
          flow.OnFailed(from, FailedOf(kId, 1, static_cast<link::FailReason>(reason), retryable),
                        kStart, out);
        });
      }
    }
    for (const FinishReason finish : {FinishReason::kNone, FinishReason::kStop}) {
      for (std::uint32_t first = 0; first < 3; ++first) {
        events.push_back([=](RequestFlow& flow, RouterOutbox& out) {
          flow.OnTokens(from, TokensOf(kId, 1, first, {1, 2}, finish), kStart, out);
        });
      }
    }
  }
  constexpr std::size_t kClosingState = 3;
  for (std::size_t state = 0; state < reach.size(); ++state) {
    for (std::size_t event = 0; event < events.size(); ++event) {
      SCOPED_TRACE(testing::Message() << "state " << state << " event " << event);
      Heard heard;
      RouterOutbox out;
      RequestFlow flow(RequestOf(), Hearing(heard), FlowLimits{}, kStart);
      reach[state](flow, out);
      events[event](flow, out);
      EXPECT_EQ(heard.ends, flow.state() == FlowState::kEnded ? 1 : 0);
      flow.OnTimer(kStart + std::chrono::hours(1), out);  // its deadline
      EXPECT_EQ(heard.ends, 1);
      EXPECT_EQ(flow.state(), FlowState::kEnded);
      EXPECT_FALSE(heard.after_end);
      if (state == kClosingState) {
        EXPECT_TRUE(heard.status.ok());  // all tokens were there
      }
      EXPECT_FALSE(flow.outcome().empty());
    }
  }
}

}  // namespace
}  // namespace baton
