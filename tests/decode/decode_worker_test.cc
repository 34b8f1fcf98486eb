#include "decode/decode_worker.h"

#include <algorithm>

#include "gtest/gtest.h"
#include "tests/testing/fake_executor.h"
#include "tests/testing/worker_messages.h"

namespace baton {
namespace {

constexpr LinkId kLink{1};
constexpr int kPageTokens = 8;

std::vector<TokenId> Tokens(const std::vector<TokenOutput>& outputs) {
  std::vector<TokenId> tokens;
  for (const TokenOutput& output : outputs) tokens.push_back(output.token);
  return tokens;
}

// A decode worker whose transfer side is the test itself.
class DecodeWorkerTest : public testing::Test {
 protected:
  void Start(std::uint32_t pages = 64, DecodeOptions options = {.step_tokens_max = 24}) {
    said_.clear();
    commands_.clear();
    worker_.reset();
    arena_ = *KvArena::Create(FakeLayout(kPageTokens), pages);
    facts_ = FakeFacts("d", 9, link::ROLE_DECODE, *arena_);
    prefill_ = FakeFacts("p", 7, link::ROLE_PREFILL, *arena_);
    executor_ = std::make_unique<FakeExecutor>(*arena_, FakeExecutor::Options{});
    worker_ = std::make_unique<DecodeWorker>(facts_, *arena_, *executor_, options);
    worker_->OnLinkUp(kLink, now_);
    Round();
  }

  Instant Round() {
    executor_->Advance(now_);
    const Instant due = worker_->Tick(now_);
    for (InboundCommand& command : worker_->TakeTransferCommands()) {
      commands_.push_back(std::move(command));
    }
    for (WorkerOutput& output : worker_->TakeLinkMessages()) said_.push_back(std::move(output));
    EXPECT_EQ(worker_->ledger().unaccounted(), 0);
    return due;
  }

  void RunSteps() {
    Round();
    while (executor_->due() != kNever) {
      now_ = executor_->due();
      Round();
    }
  }

  void Give(const link::RouterMessage& message) { worker_->OnMessage(kLink, message, now_); }
  void Offer(std::uint64_t id) {
    worker_->OnTransfer(OfferArrived{.id = {{0, id}, 1}, .prompt_tokens = 0, .first_page_in = {}},
                        now_);
    Round();
  }
  void CloseLease(std::uint64_t id, LeaseEnd how) {
    worker_->OnTransfer(
        LeaseClosed{.lease = LeaseId{1}, .id = {{0, id}, 1}, .how = how, .bytes = 0, .held = {}},
        now_);
    Round();
  }

  // Writes the granted pages as the hand-off would, and commits.
  void Commit(const FakeRequest& request) {
    const GrantInbound grant = Last<GrantInbound>();
    const auto prompt = static_cast<int>(request.tokens.size());
    const std::unique_ptr<KvArena> source =
        *KvArena::Create(arena_->layout(), static_cast<std::uint32_t>(prompt / kPageTokens + 1));
    FakeExecutor model(*source, {});
    StepEntry entry{.sequence = {},
                    .first_position = 0,
                    .tokens = request.tokens,
                    .pages = {},
                    .samples = true,
                    .sampling = SamplingOf(request),
                    .context = {},
                    .followers = {}};
    for (std::uint32_t i = 0; i < source->num_pages(); ++i) entry.pages.push_back(PageId{i});
    ASSERT_TRUE(model.Launch({.number = 1, .entries = {entry}}).ok());
    model.Advance(Instant{} + std::chrono::hours(1));
    for (std::size_t i = 0; i < grant.pages.size(); ++i) {
      const PageId from{static_cast<std::uint32_t>(grant.first_page + i)};
      std::ranges::copy(source->Page(from), arena_->Page(grant.pages[i]).begin());
    }
    const TokenId first = (**model.TryCollect()).sampled.at(0).output.token;
    worker_->OnTransfer(
        InboundCommitted{
            .lease = LeaseId{1}, .id = {{0, request.id}, 1}, .first_token = first, .at = now_},
        now_);
    CloseLease(request.id, LeaseEnd::kCommitted);
  }

  template <typename Kind>
  Kind Last() const {
    for (auto it = commands_.rbegin(); it != commands_.rend(); ++it) {
      if (const auto* found = std::get_if<Kind>(&*it)) return *found;
    }
    ADD_FAILURE() << "no such command";
    return {};
  }
  template <typename Kind>
  int Count() const {
    int count = 0;
    for (const InboundCommand& command : commands_) count += std::holds_alternative<Kind>(command);
    return count;
  }

  Instant now_{std::chrono::hours(1)};
  std::unique_ptr<KvArena> arena_;
  link::Register facts_;
  link::Register prefill_;
  std::unique_ptr<FakeExecutor> executor_;
  std::unique_ptr<DecodeWorker> worker_;
  std::vector<InboundCommand> commands_;
  std::vector<WorkerOutput> said_;
};

TEST_F(DecodeWorkerTest, RefusesWhatIsNotLawfulAndWhatNeverFits) {
  Start(4);
  Give(DecodeJobOf({.id = 1}, nullptr));
  Give(DecodeJobOf({.id = 2, .tokens = {-1}}, nullptr));
  // 30 + 4 - 1 tokens want five pages: growth counts.
  Give(DecodeJobOf({.id = 3, .tokens = FakePrompt(30, 1)}, nullptr));
  link::RouterMessage stranger = DecodeJobOf({.id = 4, .tokens = FakePrompt(4, 1)}, &prefill_);
  stranger.mutable_decode()->mutable_prefill()->set_introduction("short");
  Give(stranger);
  RunSteps();
  for (std::uint64_t id = 1; id <= 4; ++id) {
    ASSERT_EQ(FailuresOf(said_, id).size(), 1U) << id;
    EXPECT_FALSE(FailuresOf(said_, id)[0].retryable()) << id;
  }
  EXPECT_EQ(FailuresOf(said_, 3)[0].reason(), link::FAIL_NO_ROOM);
  EXPECT_TRUE(executor_->launched().empty());
}

TEST_F(DecodeWorkerTest, RunsAPromptByItselfAsOneProcessWould) {
  for (const int length : {1, 7, 8, 9, 23, 24, 25, 100}) {
    Start();
    const FakeRequest request{.id = 1, .tokens = FakePrompt(length, 5), .max_tokens = 20};
    Give(DecodeJobOf(request, nullptr));
    RunSteps();
    EXPECT_EQ(TokensOf(said_, 1),
              Tokens(FakeAnswer(request.tokens, SamplingOf(request), StopOf(request))));
    EXPECT_EQ(worker_->ledger().free, 64U);
    EXPECT_EQ(worker_->ledger().promised, 0U);
  }
}

TEST_F(DecodeWorkerTest, ManyAtATimeEqualTheirSoloAnswers) {
  Start(256);
  std::vector<FakeRequest> requests;
  for (std::uint64_t id = 1; id <= 20; ++id) {
    requests.push_back({.id = id,
                        .tokens = FakePrompt(static_cast<int>(id * 7 % 50) + 1, id % 5),
                        .max_tokens = static_cast<int>(id % 9) + 1,
                        .seed = id});
    Give(DecodeJobOf(requests.back(), nullptr));
    if (id % 3 == 0) Round();
  }
  RunSteps();
  for (const FakeRequest& request : requests) {
    EXPECT_EQ(TokensOf(said_, request.id),
              Tokens(FakeAnswer(request.tokens, SamplingOf(request), StopOf(request))))
        << request.id;
  }
  EXPECT_EQ(worker_->ledger().free, 256U);
}

TEST_F(DecodeWorkerTest, ACommittedHandoffJoinsTheVeryNextStep) {
  Start();
  const FakeRequest request{.id = 1, .tokens = FakePrompt(21, 5), .max_tokens = 6};
  Give(DecodeJobOf(request, &prefill_));
  Round();
  EXPECT_EQ(Count<ExpectInbound>(), 1);
  EXPECT_EQ(Count<GrantInbound>(), 0) << "pages before the prompt is about to run";
  Offer(1);
  EXPECT_EQ(Last<GrantInbound>().pages.size(), 3U);
  EXPECT_TRUE(Last<GrantInbound>().final);
  EXPECT_EQ(worker_->ledger().inbound, 3U);
  Commit(request);
  EXPECT_EQ(executor_->launched().size(), 1U);
  EXPECT_EQ(worker_->ledger().inbound, 0U);
  RunSteps();
  EXPECT_EQ(TokensOf(said_, 1),
            Tokens(FakeAnswer(request.tokens, SamplingOf(request), StopOf(request))));
  EXPECT_EQ(worker_->ledger().free, 64U);
}

// The prefill worker told the first token with its logprob, which a repetition would not have.
TEST_F(DecodeWorkerTest, DoesNotRepeatAFirstTokenThatHasALogprob) {
  Start();
  const FakeRequest request{.id = 1, .tokens = FakePrompt(9, 5), .max_tokens = 3, .logprobs = 0};
  Give(DecodeJobOf(request, &prefill_));
  Round();
  Offer(1);
  Commit(request);
  RunSteps();
  std::vector<TokenId> wanted =
      Tokens(FakeAnswer(request.tokens, SamplingOf(request), StopOf(request)));
  wanted.erase(wanted.begin());
  EXPECT_EQ(TokensOf(said_, 1), wanted);
}

TEST_F(DecodeWorkerTest, LogprobsOfAPromptThatItRunsAreOfAllOfIt) {
  for (const int length : {1, 2, 8, 9, 100}) {
    Start();
    const std::vector<TokenId> tokens = FakePrompt(length, 5);
    Give(DecodeJobOf({.id = 1, .tokens = tokens}, nullptr));
    RunSteps();
    Give(DecodeJobOf({.id = 2, .tokens = tokens, .prompt_logprobs = 0}, nullptr));
    RunSteps();
    EXPECT_TRUE(PromptLogprobsOf(said_, 1).empty());
    EXPECT_EQ(PromptLogprobsOf(said_, 2), FakePromptLogprobs(tokens)) << length;
    EXPECT_EQ(TokensOf(said_, 2), TokensOf(said_, 1));
    EXPECT_EQ(worker_->stats().prompt_cached_tokens, 0U);
    said_.clear();
  }
}

// Its repetition could overtake what the prefill worker says of the prompt.
TEST_F(DecodeWorkerTest, DoesNotRepeatAFirstTokenBeforeWhichThePromptIsToldOf) {
  Start();
  const FakeRequest request{
      .id = 1, .tokens = FakePrompt(9, 5), .max_tokens = 3, .prompt_logprobs = 0};
  Give(DecodeJobOf(request, &prefill_));
  Round();
  Offer(1);
  Commit(request);
  RunSteps();
  EXPECT_EQ(TokensOf(said_, 1).size(), 2U);
  EXPECT_TRUE(PromptLogprobsOf(said_, 1).empty());
}

TEST_F(DecodeWorkerTest, NoHitBeforeCommit) {
  Start();
  const FakeRequest request{.id = 1, .tokens = FakePrompt(24, 5)};
  Give(DecodeJobOf(request, &prefill_));
  Round();
  Offer(1);
  FakeRequest sibling = request;
  sibling.id = 2;
  Give(DecodeJobOf(sibling, &prefill_));
  Round();
  Offer(2);
  EXPECT_EQ(Last<GrantInbound>().first_page, 0U);
}

TEST_F(DecodeWorkerTest, GrantsOnlyWhatItLacks) {
  Start();
  FakeRequest request{.id = 1, .tokens = FakePrompt(24, 5)};
  Give(DecodeJobOf(request, nullptr));
  RunSteps();
  request.id = 2;
  Give(DecodeJobOf(request, &prefill_));
  Round();
  Offer(2);
  EXPECT_EQ(Last<GrantInbound>().first_page, 3U);
  EXPECT_TRUE(Last<GrantInbound>().pages.empty());  // held whole: a hand-off of no pages
  said_.clear();
  Commit(request);
  RunSteps();
  EXPECT_EQ(TokensOf(said_, 2),
            Tokens(FakeAnswer(request.tokens, SamplingOf(request), StopOf(request))));
}

TEST_F(DecodeWorkerTest, TheNextTurnFindsPromptAndAnswer) {
  Start();
  FakeRequest request{.id = 1, .tokens = FakePrompt(20, 5), .max_tokens = 13};
  Give(DecodeJobOf(request, nullptr));
  RunSteps();
  std::vector<TokenId> next = request.tokens;
  for (const TokenId token : TokensOf(said_, 1)) next.push_back(token);
  next.push_back(1);
  Give(DecodeJobOf({.id = 2, .tokens = next}, nullptr));
  RunSteps();
  EXPECT_EQ(worker_->stats().prompt_cached_tokens, 32U);  // of 33 that have rows
}

TEST_F(DecodeWorkerTest, LentPagesStayUntilTheLeaseIsClosed) {
  Start(8);
  const FakeRequest request{.id = 1, .tokens = FakePrompt(24, 5)};
  Give(DecodeJobOf(request, &prefill_));
  Round();
  Offer(1);
  Give(CancelOf(1, 0));
  Round();
  EXPECT_EQ(Count<CloseInbound>(), 1);
  worker_->OnTransfer(InboundFailed{.id = {{0, 1}, 1}, .reason = HandoffReason::kCancelled}, now_);
  Round();
  EXPECT_EQ(worker_->ledger().inbound, 3U);
  EXPECT_EQ(worker_->ledger().promised, 0U);
  CloseLease(1, LeaseEnd::kQuiet);
  EXPECT_EQ(worker_->ledger().free, 8U);
  EXPECT_TRUE(FailuresOf(said_, 1).empty());
  CloseLease(1, LeaseEnd::kQuiet);  // once more: ignored
  EXPECT_EQ(worker_->ledger().free, 8U);
}

TEST_F(DecodeWorkerTest, AnOfferWaitsForRoomAndThenIsRefused) {
  Start(8, {.step_tokens_max = 24, .promised_fraction_max = 1.0});
  Give(DecodeJobOf({.id = 1, .tokens = FakePrompt(40, 5), .max_tokens = 17}, &prefill_));
  Give(DecodeJobOf({.id = 2, .tokens = FakePrompt(16, 6), .max_tokens = 4}, &prefill_));
  Round();
  Offer(1);
  Offer(2);
  EXPECT_EQ(Count<GrantInbound>(), 1) << "5 + 2 promised + 2 + 1 promised exceed 8";
  EXPECT_EQ(Count<RefuseInbound>(), 0);
  const Instant offered = now_;
  while (now_ < offered + std::chrono::seconds(3)) now_ = std::max(now_ + Milliseconds(1), Round());
  EXPECT_EQ(Count<RefuseInbound>(), 1);
  ASSERT_EQ(FailuresOf(said_, 2).size(), 1U);
  EXPECT_EQ(FailuresOf(said_, 2)[0].reason(), link::FAIL_NO_ROOM);
  EXPECT_TRUE(FailuresOf(said_, 2)[0].retryable());
}

TEST_F(DecodeWorkerTest, AnOfferIsGrantedAsSoonAsPagesAreFree) {
  Start(8, {.step_tokens_max = 24, .promised_fraction_max = 1.0});
  Give(DecodeJobOf({.id = 1, .tokens = FakePrompt(40, 5), .max_tokens = 17}, nullptr));
  Give(DecodeJobOf({.id = 2, .tokens = FakePrompt(16, 6), .max_tokens = 4}, &prefill_));
  Round();
  Offer(2);
  EXPECT_EQ(Count<GrantInbound>(), 0);
  RunSteps();
  EXPECT_EQ(Count<GrantInbound>(), 1);
}

// Whatever is admitted finishes: no sequence is given back while promises cover the growth.
TEST_F(DecodeWorkerTest, GrowthFitsThePool) {
  Start(16, {.step_tokens_max = 64});
  std::vector<FakeRequest> requests;
  for (std::uint64_t id = 1; id <= 12; ++id) {
    requests.push_back({.id = id, .tokens = FakePrompt(8, id), .max_tokens = 40});
    Give(DecodeJobOf(requests.back(), nullptr));
  }
  RunSteps();
  EXPECT_EQ(worker_->stats().given_back, 0U);
  for (const FakeRequest& request : requests) {
    EXPECT_EQ(TokensOf(said_, request.id),
              Tokens(FakeAnswer(request.tokens, SamplingOf(request), StopOf(request))));
  }
}

// Promises that are too small end in a retry elsewhere, never in a wrong or a lost answer.
TEST_F(DecodeWorkerTest, ASequenceThatOutgrowsItsPromiseGoesBack) {
  Start(8, {.step_tokens_max = 64, .growth_watermark = 0, .growth_tokens = 8});
  for (std::uint64_t id = 1; id <= 3; ++id) {
    Give(DecodeJobOf({.id = id, .tokens = FakePrompt(8, id), .max_tokens = 50}, nullptr));
  }
  RunSteps();
  EXPECT_GT(worker_->stats().given_back, 0U);
  int finished = 0;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    const std::vector<link::JobFailed> failures = FailuresOf(said_, id);
    const std::vector<TokenId> tokens = TokensOf(said_, id);
    finished += tokens.size() == 50;
    if (tokens.size() == 50) continue;
    ASSERT_EQ(failures.size(), 1U);
    EXPECT_EQ(failures[0].reason(), link::FAIL_NO_ROOM);
    EXPECT_TRUE(failures[0].retryable());
  }
  EXPECT_GT(finished, 0);
  EXPECT_EQ(worker_->ledger().free, 8U);
}

TEST_F(DecodeWorkerTest, ACancelledSequenceKeepsItsPagesForTheStepInFlight) {
  Start();
  Give(DecodeJobOf({.id = 1, .tokens = FakePrompt(9, 5), .max_tokens = 50}, nullptr));
  Round();
  Give(CancelOf(1, 1));
  Round();
  EXPECT_EQ(worker_->ledger().owned, 2U);
  RunSteps();
  EXPECT_EQ(worker_->ledger().free, 64U);
  EXPECT_TRUE(TokensOf(said_, 1).empty());
}

TEST_F(DecodeWorkerTest, AFailedHandoffFailsItsJobOnce) {
  Start();
  Give(DecodeJobOf({.id = 1, .tokens = FakePrompt(9, 5)}, &prefill_));
  Round();
  for (int i = 0; i < 2; ++i) {
    worker_->OnTransfer(InboundFailed{.id = {{0, 1}, 1}, .reason = HandoffReason::kCorrupt}, now_);
    Round();
  }
  ASSERT_EQ(FailuresOf(said_, 1).size(), 1U);
  EXPECT_EQ(FailuresOf(said_, 1)[0].reason(), link::FAIL_HANDOFF);
}

// The router hears of that end from the prefill worker, in an order that nobody knows.
TEST_F(DecodeWorkerTest, AFirstTokenThatEndsTheAnswerIsNoFailure) {
  Start();
  Give(DecodeJobOf({.id = 1, .tokens = FakePrompt(9, 5)}, &prefill_));
  Round();
  worker_->OnTransfer(InboundFailed{.id = {{0, 1}, 1}, .reason = HandoffReason::kFirstTokenEnds},
                      now_);
  Round();
  EXPECT_TRUE(FailuresOf(said_, 1).empty());
  worker_->StartDrain(now_);
  Round();
  EXPECT_TRUE(worker_->drained()) << "the job is over";
}

TEST_F(DecodeWorkerTest, AVerdictEndsTheHandoffsFromThatWorkerOnly) {
  Start();
  Give(DecodeJobOf({.id = 1, .tokens = FakePrompt(9, 5)}, &prefill_));
  Give(DecodeJobOf({.id = 2, .tokens = FakePrompt(9, 6)}, nullptr));
  Give(VerdictOf(prefill_));
  RunSteps();
  ASSERT_EQ(FailuresOf(said_, 1).size(), 1U);
  EXPECT_EQ(FailuresOf(said_, 1)[0].reason(), link::FAIL_PEER_LOST);
  EXPECT_EQ(TokensOf(said_, 2).size(), 4U);
  EXPECT_EQ(Last<InboundVerdict>().ids.size(), 1U);
}

TEST_F(DecodeWorkerTest, ALostLinkEndsItsJobsAndNoOthers) {
  Start();
  constexpr LinkId kOther{2};
  worker_->OnLinkUp(kOther, now_);
  Give(DecodeJobOf({.id = 1, .tokens = FakePrompt(9, 5), .max_tokens = 50}, nullptr));
  worker_->OnMessage(kOther, DecodeJobOf({.id = 2, .tokens = FakePrompt(9, 6)}, nullptr), now_);
  Round();
  worker_->OnLinkLost(kLink, now_);
  said_.clear();
  RunSteps();
  for (const WorkerOutput& output : said_) EXPECT_EQ(output.link, kOther);
  EXPECT_EQ(TokensOf(said_, 2).size(), 4U);
  EXPECT_EQ(worker_->ledger().free, 64U);
}

TEST_F(DecodeWorkerTest, ADrainedWorkerHasFinishedItsAnswers) {
  Start();
  Give(DecodeJobOf({.id = 1, .tokens = FakePrompt(9, 5)}, nullptr));
  Round();
  worker_->StartDrain(now_);
  Give(DecodeJobOf({.id = 2, .tokens = FakePrompt(9, 6)}, nullptr));
  EXPECT_FALSE(worker_->drained());
  RunSteps();
  EXPECT_TRUE(worker_->drained());
  EXPECT_EQ(TokensOf(said_, 1).size(), 4U);
  EXPECT_EQ(FailuresOf(said_, 2).at(0).reason(), link::FAIL_DRAINING);
  EXPECT_EQ(Count<DrainInbound>(), 1);
}

TEST_F(DecodeWorkerTest, ADeadlineEndsAJobInMidStream) {
  Start();
  Give(DecodeJobOf({.id = 1, .tokens = FakePrompt(9, 5), .max_tokens = 50, .deadline_ms = 10},
                   nullptr));
  RunSteps();
  ASSERT_EQ(FailuresOf(said_, 1).size(), 1U);
  EXPECT_EQ(FailuresOf(said_, 1)[0].reason(), link::FAIL_DEADLINE);
  EXPECT_LT(TokensOf(said_, 1).size(), 50U);
  EXPECT_EQ(worker_->ledger().free, 64U);
}

TEST_F(DecodeWorkerTest, ALostDeviceFailsEveryJobOnce) {
  Start();
  Give(DecodeJobOf({.id = 1, .tokens = FakePrompt(9, 5), .max_tokens = 50}, nullptr));
  Round();
  executor_->LoseDevice();
  Round();
  Round();
  EXPECT_FALSE(worker_->status().ok());
  EXPECT_EQ(FailuresOf(said_, 1).size(), 1U);
}

}  // namespace
}  // namespace baton
