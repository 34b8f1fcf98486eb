#include "prefill/prefill_worker.h"

#include <map>

#include "gtest/gtest.h"
#include "tests/testing/fake_executor.h"
#include "tests/testing/worker_messages.h"

namespace baton {
namespace {

constexpr LinkId kLink{1};
constexpr int kPageTokens = 8;

// A prefill worker whose transfer side is the test itself.
class PrefillWorkerTest : public testing::Test {
 protected:
  void Start(std::uint32_t pages = 32, PrefillOptions options = {.step_tokens_max = 16}) {
    arena_ = *KvArena::Create(FakeLayout(kPageTokens), pages);
    facts_ = FakeFacts("p", 7, link::ROLE_PREFILL, *arena_);
    decode_ = FakeFacts("d", 9, link::ROLE_DECODE, *arena_);
    executor_ = std::make_unique<FakeExecutor>(*arena_, FakeExecutor::Options{});
    worker_ = std::make_unique<PrefillWorker>(facts_, *arena_, *executor_, options);
    worker_->OnLinkUp(kLink, now_);
    Round();
  }

  // One round of the engine thread.
  void Round() {
    executor_->Advance(now_);
    Instant due{};
    do {
      due = worker_->Tick(now_);
      for (OutboundCommand& command : worker_->TakeTransferCommands()) {
        if (const auto* start = std::get_if<StartOutbound>(&command)) open_.push_back(*start);
        commands_.push_back(std::move(command));
      }
    } while (due <= now_);
    for (WorkerOutput& output : worker_->TakeLinkMessages()) said_.push_back(std::move(output));
    ASSERT_EQ(worker_->ledger().unaccounted(), 0);
  }

  // Until no step runs.
  void RunSteps() {
    Round();
    while (executor_->due() != kNever) {
      now_ = executor_->due();
      Round();
    }
  }

  void Give(const link::RouterMessage& message) { worker_->OnMessage(kLink, message, now_); }

  // The hand-off of `start` ends and its pages are quiet.
  void EndHandoff(const StartOutbound& start, HandoffReason reason) {
    OutboundEnded ended;
    ended.handoff = start.handoff;
    ended.id = start.id;
    ended.reason = reason;
    worker_->OnTransfer(ended, now_);
    worker_->OnTransfer(OutboundSettled{start.handoff}, now_);
    Round();
  }

  template <typename Kind>
  std::vector<Kind> Commands() const {
    std::vector<Kind> found;
    for (const OutboundCommand& command : commands_) {
      if (const auto* it = std::get_if<Kind>(&command)) found.push_back(*it);
    }
    return found;
  }

  Instant now_{std::chrono::hours(1)};
  std::unique_ptr<KvArena> arena_;
  link::Register facts_;
  link::Register decode_;
  std::unique_ptr<FakeExecutor> executor_;
  std::unique_ptr<PrefillWorker> worker_;
  std::vector<OutboundCommand> commands_;
  std::vector<StartOutbound> open_;
  std::vector<WorkerOutput> said_;
};

TEST_F(PrefillWorkerTest, RegistersFirstThenTellsItsCacheAndLoad) {
  Start();
  ASSERT_EQ(said_.size(), 3U);
  EXPECT_EQ(said_[0].message.register_().worker_id(), "p");
  EXPECT_TRUE(said_[1].message.cache_events().snapshot());
  EXPECT_EQ(said_[2].message.load().free_pages(), 32U);
}

TEST_F(PrefillWorkerTest, RefusesWhatIsNotLawfulAndWhatNeverFits) {
  Start(4);
  FakeRequest empty{.id = 1};
  Give(PrefillJobOf(empty, decode_));
  FakeRequest wild{.id = 2, .tokens = {kFakeVocabulary}};
  Give(PrefillJobOf(wild, decode_));
  FakeRequest large{.id = 3, .tokens = FakePrompt(4 * kPageTokens + 1, 1)};
  Give(PrefillJobOf(large, decode_));
  FakeRequest nothing_left{.id = 4, .tokens = FakePrompt(4, 1), .max_tokens = 0};
  Give(PrefillJobOf(nothing_left, decode_));
  link::RouterMessage no_peer = PrefillJobOf({.id = 5, .tokens = FakePrompt(4, 1)}, decode_);
  no_peer.mutable_prefill()->clear_decode();
  Give(no_peer);
  Round();
  for (std::uint64_t id = 1; id <= 5; ++id) {
    const std::vector<link::JobFailed> failures = FailuresOf(said_, id);
    ASSERT_EQ(failures.size(), 1U) << id;
    EXPECT_FALSE(failures[0].retryable()) << id;
  }
  EXPECT_EQ(FailuresOf(said_, 3)[0].reason(), link::FAIL_NO_ROOM);
  EXPECT_TRUE(executor_->launched().empty());
}

TEST_F(PrefillWorkerTest, TellsTheFirstTokenThatOneProcessWouldGive) {
  for (const int length : {1, 7, 8, 9, 16, 17, 33, 200}) {
    Start(64);
    const FakeRequest request{.id = 1, .tokens = FakePrompt(length, 5), .seed = 3};
    Give(PrefillJobOf(request, decode_));
    RunSteps();
    const std::vector<TokenOutput> wanted =
        FakeAnswer(request.tokens, SamplingOf(request), StopOf(request));
    EXPECT_EQ(TokensOf(said_, 1), std::vector<TokenId>{wanted[0].token}) << length;
    ASSERT_EQ(Commands<OutboundFirstToken>().size(), 1U);
    EXPECT_EQ(Commands<OutboundFirstToken>()[0].token, wanted[0].token);
    EndHandoff(open_.back(), HandoffReason::kCommitted);
    EXPECT_EQ(worker_->ledger().free, 64U);
    commands_.clear();
    said_.clear();
  }
}

// The transfer side must know of a step before its layers are done, and sends each page once.
TEST_F(PrefillWorkerTest, SpansNameEveryPageOnceInOrder) {
  Start();
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(37, 5)}, decode_));
  RunSteps();
  std::uint32_t next = 0;
  bool last = false;
  for (const OutboundStep& step : Commands<OutboundStep>()) {
    for (const StepSpan& span : step.spans) {
      EXPECT_FALSE(last);
      EXPECT_EQ(span.first_page, next);
      next = span.end_page;
      last = span.last_chunk;
    }
  }
  EXPECT_EQ(next, 5U);
  EXPECT_TRUE(last);
}

TEST_F(PrefillWorkerTest, TheLastPageCarriesNoStaleRow) {
  Start(4);
  for (std::uint32_t page = 0; page < 4; ++page) {
    for (std::byte& byte : arena_->Page(PageId{page})) byte = std::byte{0xff};
  }
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(11, 5)}, decode_));
  RunSteps();
  const PageId last = open_.at(0).pages.at(1);
  const KvLayout& layout = arena_->layout();
  for (int layer = 0; layer < layout.num_layers; ++layer) {
    const std::byte* rows =
        arena_->Page(last).data() + static_cast<std::size_t>(layer) * layout.LayerBytes();
    for (std::size_t i = 3 * layout.TokenBytes(); i < layout.LayerBytes(); ++i) {
      ASSERT_EQ(rows[i], std::byte{0});
    }
  }
}

TEST_F(PrefillWorkerTest, ASharedPrefixIsComputedOnce) {
  Start();
  std::vector<TokenId> tokens = FakePrompt(24, 5);
  Give(PrefillJobOf({.id = 1, .tokens = tokens}, decode_));
  RunSteps();
  EndHandoff(open_.back(), HandoffReason::kCommitted);
  tokens.push_back(3);
  const FakeRequest second{.id = 2, .tokens = tokens};
  Give(PrefillJobOf(second, decode_));
  RunSteps();
  EXPECT_EQ(worker_->stats().computed_tokens, 25U);
  EXPECT_EQ(worker_->stats().cached_tokens, 24U);
  EXPECT_EQ(open_.back().ready_pages, 3U);
  EXPECT_EQ(TokensOf(said_, 2)[0], FakeAnswer(tokens, SamplingOf(second), StopOf(second))[0].token);
}

// Cached tokens have no logits: whoever asks for the prompt's computes all of it, whatever is
// there.
TEST_F(PrefillWorkerTest, LogprobsOfThePromptAreOfAllOfItInSpiteOfAHit) {
  for (const int length : {1, 2, 16, 17, 41}) {
    Start();
    const std::vector<TokenId> tokens = FakePrompt(length, 5);
    Give(PrefillJobOf({.id = 1, .tokens = tokens}, decode_));
    RunSteps();
    EXPECT_TRUE(PromptLogprobsOf(said_, 1).empty());
    EndHandoff(open_.back(), HandoffReason::kCommitted);
    Give(PrefillJobOf({.id = 2, .tokens = tokens, .prompt_logprobs = 0}, decode_));
    RunSteps();
    EXPECT_EQ(PromptLogprobsOf(said_, 2), FakePromptLogprobs(tokens)) << length;
    EXPECT_EQ(worker_->stats().cached_tokens, 0U);
    EXPECT_EQ(TokensOf(said_, 2), TokensOf(said_, 1));
    // Whoever hears the first token has heard all of the prompt.
    EXPECT_TRUE(said_.back().message.has_tokens() || said_.back().message.has_load());
    EndHandoff(open_.back(), HandoffReason::kCommitted);
    EXPECT_EQ(worker_->ledger().free, 32U);
    said_.clear();
    commands_.clear();
  }
}

TEST_F(PrefillWorkerTest, AnAttemptThatGoesOnScoresThePromptAndNotTheAnswerSoFar) {
  Start();
  const std::vector<TokenId> tokens = FakePrompt(20, 5);
  Give(PrefillJobOf({.id = 1,
                     .attempt = 2,
                     .tokens = tokens,
                     .prompt_tokens = 11,
                     .max_tokens = 12,
                     .prompt_logprobs = 0},
                    decode_));
  RunSteps();
  const std::vector<PromptLogprob> scored = PromptLogprobsOf(said_, 1);
  ASSERT_EQ(scored.size(), 10U);
  EXPECT_EQ(scored.back().token, tokens[10]);
}

TEST_F(PrefillWorkerTest, AnotherSaltHitsNothing) {
  Start();
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(24, 5), .salt = "a"}, decode_));
  Give(PrefillJobOf({.id = 2, .tokens = FakePrompt(24, 5), .salt = "b"}, decode_));
  RunSteps();
  EXPECT_EQ(worker_->stats().cached_tokens, 0U);
}

TEST_F(PrefillWorkerTest, SourcePagesStayUntilSettled) {
  Start(4);
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(24, 5)}, decode_));
  RunSteps();
  OutboundEnded ended;
  ended.handoff = open_[0].handoff;
  ended.reason = HandoffReason::kWriteFailed;
  worker_->OnTransfer(ended, now_);
  Round();
  EXPECT_EQ(worker_->ledger().owned, 3U);
  EXPECT_EQ(FailuresOf(said_, 1).size(), 1U);
  worker_->OnTransfer(OutboundSettled{open_[0].handoff}, now_);
  Round();
  EXPECT_EQ(worker_->ledger().free, 4U);
  EndHandoff(open_[0], HandoffReason::kCommitted);  // once more: ignored
  EXPECT_EQ(FailuresOf(said_, 1).size(), 1U);
}

TEST_F(PrefillWorkerTest, APromptWaitsForPagesThatAHandoffStillReads) {
  Start(4);
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(24, 5)}, decode_));
  Give(PrefillJobOf({.id = 2, .tokens = FakePrompt(16, 6)}, decode_));
  RunSteps();
  EXPECT_EQ(open_.size(), 1U);
  EndHandoff(open_[0], HandoffReason::kCommitted);
  RunSteps();
  EXPECT_EQ(open_.size(), 2U);
  EXPECT_EQ(TokensOf(said_, 2).size(), 1U);
}

TEST_F(PrefillWorkerTest, FirstTokenMayBeTheLast) {
  Start();
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(9, 5), .max_tokens = 1}, decode_));
  RunSteps();
  ASSERT_EQ(Commands<OutboundFirstToken>().size(), 1U);
  EXPECT_TRUE(Commands<OutboundFirstToken>()[0].ends);
  EndHandoff(open_[0], HandoffReason::kFirstTokenEnds);
  EXPECT_TRUE(FailuresOf(said_, 1).empty());
  EXPECT_EQ(worker_->ledger().free, 32U);
}

// Cancel before it began, while its chunks run, after its first token.
TEST_F(PrefillWorkerTest, CancelInEveryStateGivesThePagesBack) {
  for (int steps = 0; steps <= 4; ++steps) {
    Start();
    commands_.clear();
    open_.clear();
    said_.clear();
    Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(40, 5)}, decode_));
    for (int i = 0; i < steps; ++i) {
      Round();
      if (executor_->due() != kNever) now_ = executor_->due();
    }
    Give(CancelOf(1, 0));
    RunSteps();
    EXPECT_TRUE(FailuresOf(said_, 1).empty());
    if (!open_.empty()) {
      EXPECT_GT(worker_->ledger().owned, 0U) << "freed under the hand-off";
      EXPECT_EQ(Commands<CancelOutbound>().size(), 1U);
      EndHandoff(open_[0], HandoffReason::kCancelled);
    }
    EXPECT_EQ(worker_->ledger().free, 32U) << steps;
    EXPECT_TRUE(FailuresOf(said_, 1).empty());
  }
}

TEST_F(PrefillWorkerTest, JobsAreIdempotentByAttempt) {
  Start();
  const FakeRequest second{.id = 1, .attempt = 2, .tokens = FakePrompt(9, 5)};
  const FakeRequest first{.id = 1, .attempt = 1, .tokens = FakePrompt(9, 5)};
  Give(PrefillJobOf(second, decode_));
  Give(PrefillJobOf(second, decode_));
  Give(PrefillJobOf(first, decode_));
  RunSteps();
  EXPECT_EQ(open_.size(), 1U);
  EXPECT_EQ(open_[0].id.attempt, 2U);
  FakeRequest third = second;
  third.attempt = 3;
  Give(PrefillJobOf(third, decode_));
  RunSteps();
  EXPECT_EQ(open_.size(), 2U);
  EXPECT_EQ(Commands<CancelOutbound>().size(), 1U);
}

TEST_F(PrefillWorkerTest, ARetryGoesOnWhereTheAnswerStopped) {
  Start();
  FakeRequest request{.id = 1, .tokens = FakePrompt(9, 5)};
  const std::vector<TokenOutput> wanted =
      FakeAnswer(request.tokens, SamplingOf(request), StopOf(request));
  request.prompt_tokens = 9;
  request.attempt = 2;
  for (int i = 0; i < 3; ++i) request.tokens.push_back(wanted[static_cast<std::size_t>(i)].token);
  Give(PrefillJobOf(request, decode_));
  RunSteps();
  EXPECT_EQ(TokensOf(said_, 1), std::vector<TokenId>{wanted[3].token});
  EXPECT_EQ(Commands<OutboundFirstToken>().at(0).ends, true);
}

TEST_F(PrefillWorkerTest, ALostLinkEndsItsJobsInSilence) {
  Start();
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(40, 5)}, decode_));
  Round();
  said_.clear();
  worker_->OnLinkLost(kLink, now_);
  RunSteps();
  EXPECT_TRUE(said_.empty());
  EXPECT_EQ(Commands<CancelOutbound>().size(), 1U);
  EndHandoff(open_[0], HandoffReason::kCancelled);
  EXPECT_EQ(worker_->ledger().free, 32U);
}

TEST_F(PrefillWorkerTest, AVerdictEndsTheJobsWithThatPeer) {
  Start();
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(40, 5)}, decode_));
  link::Register other = decode_;
  other.set_incarnation(10);
  Give(PrefillJobOf({.id = 2, .tokens = FakePrompt(9, 6)}, other));
  Round();
  Give(VerdictOf(decode_));
  RunSteps();
  ASSERT_EQ(FailuresOf(said_, 1).size(), 1U);
  EXPECT_EQ(FailuresOf(said_, 1)[0].reason(), link::FAIL_PEER_LOST);
  EXPECT_TRUE(FailuresOf(said_, 1)[0].retryable());
  ASSERT_EQ(Commands<OutboundVerdict>().size(), 1U);
  EXPECT_EQ(Commands<OutboundVerdict>()[0].ids.size(), 1U);
  EXPECT_EQ(TokensOf(said_, 2).size(), 1U);
}

TEST_F(PrefillWorkerTest, ADeadlineEndsAJob) {
  Start();
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(9, 5), .deadline_ms = 0}, decode_));
  RunSteps();
  ASSERT_EQ(FailuresOf(said_, 1).size(), 1U);
  EXPECT_EQ(FailuresOf(said_, 1)[0].reason(), link::FAIL_DEADLINE);
  EXPECT_TRUE(executor_->launched().empty());
}

TEST_F(PrefillWorkerTest, ADrainedWorkerHasFinishedWhatItBegan) {
  Start(4);
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(24, 5)}, decode_));
  Give(PrefillJobOf({.id = 2, .tokens = FakePrompt(24, 6)}, decode_));
  Round();
  worker_->StartDrain(now_);
  Give(PrefillJobOf({.id = 3, .tokens = FakePrompt(9, 7)}, decode_));
  RunSteps();
  EXPECT_EQ(FailuresOf(said_, 2).at(0).reason(), link::FAIL_DRAINING);
  EXPECT_EQ(FailuresOf(said_, 3).at(0).reason(), link::FAIL_DRAINING);
  EXPECT_EQ(TokensOf(said_, 1).size(), 1U);
  EXPECT_FALSE(worker_->drained());
  EndHandoff(open_[0], HandoffReason::kCommitted);
  EXPECT_TRUE(worker_->drained());
}

TEST_F(PrefillWorkerTest, ALostDeviceFailsEveryJobOnce) {
  Start();
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(40, 5)}, decode_));
  Round();
  executor_->LoseDevice();
  Round();
  EXPECT_FALSE(worker_->status().ok());
  ASSERT_EQ(FailuresOf(said_, 1).size(), 1U);
  EXPECT_TRUE(FailuresOf(said_, 1)[0].retryable());
  Give(PrefillJobOf({.id = 2, .tokens = FakePrompt(9, 5)}, decode_));
  Round();
  EXPECT_EQ(FailuresOf(said_, 2).size(), 1U);
}

// A router that lost a message asks, and hears all there is; others go on in numbers.
TEST_F(PrefillWorkerTest, ResyncIsAnsweredWithASnapshot) {
  Start();
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(24, 5)}, decode_));
  RunSteps();
  std::uint64_t next = 0;
  for (const WorkerOutput& output : said_) {
    if (!output.message.has_cache_events() || output.message.cache_events().snapshot()) continue;
    EXPECT_EQ(output.message.cache_events().first_number(), next);
    next = output.message.cache_events().next_number();
  }
  EXPECT_EQ(next, 3U);
  said_.clear();
  link::RouterMessage resync;
  resync.mutable_resync();
  Give(resync);
  Round();
  ASSERT_FALSE(said_.empty());
  EXPECT_TRUE(said_[0].message.cache_events().snapshot());
  EXPECT_EQ(said_[0].message.cache_events().stored_size(), 3);
  EXPECT_EQ(said_[0].message.cache_events().next_number(), next);
}

TEST_F(PrefillWorkerTest, ChangedLoadIsStatedAtMostEveryReportAndAtLeastEveryHeartbeat) {
  Start();
  link::RouterMessage welcome;
  welcome.mutable_welcome()->set_heartbeat_ms(5000);
  Give(welcome);
  said_.clear();
  Give(PrefillJobOf({.id = 1, .tokens = FakePrompt(40, 5)}, decode_));
  RunSteps();  // three steps of a millisecond
  const auto loads = [this] {
    int count = 0;
    for (const WorkerOutput& output : said_) count += output.message.has_load();
    return count;
  };
  EXPECT_EQ(loads(), 0);
  now_ += Milliseconds(100);
  Round();
  EXPECT_EQ(loads(), 1);
  EXPECT_EQ(worker_->Tick(now_), now_ + Milliseconds(5000));
  now_ += Milliseconds(5000);
  Round();
  EXPECT_EQ(loads(), 2);
}

}  // namespace
}  // namespace baton
