#include "router/candidates.h"

#include <gtest/gtest.h>

#include "tests/router/messages.h"

namespace baton {
namespace {

constexpr Instant kNow{std::chrono::hours(1)};
constexpr LinkId kPrefill{1};
constexpr LinkId kDecode{2};
constexpr LinkId kOther{3};

class CandidatesTest : public ::testing::Test {
 protected:
  CandidatesTest() : fleet_(std::chrono::seconds(5)), index_(1 << 20) {}

  Worker& Add(LinkId link, link::Role role) {
    index_.AddWorker(link);
    return fleet_.Add(link, RegisterOf("worker-" + std::to_string(Index(link)), role), kNow);
  }
  void State(Worker& worker, const link::Load& load) { fleet_.OnLoad(worker, load, kNow); }
  Candidates Find() { return FindCandidates(fleet_, index_, options_, query_, kNow); }

  Fleet fleet_;
  FleetIndex index_;
  RouterOptions options_;
  CandidatesQuery query_{.keys = {}, .prompt_tokens = 100, .avoid = {}, .alone_allowed = false};
};

link::Load Load(std::uint32_t free_pages, std::uint64_t queue_tokens = 0) {
  link::Load load;
  load.set_number(1);
  load.set_free_pages(free_pages);
  load.set_queue_requests(queue_tokens > 0 ? 1 : 0);
  load.set_queue_tokens(queue_tokens);
  load.set_step_seconds_per_token(1e-3);
  return load;
}

TEST_F(CandidatesTest, BothRolesAreNeededUnlessDecodeMayServeAlone) {
  EXPECT_EQ(Find().verdict, CandidatesVerdict::kNoWorker);
  Add(kDecode, link::ROLE_DECODE);
  EXPECT_EQ(Find().verdict, CandidatesVerdict::kNoWorker);
  query_.alone_allowed = true;
  const Candidates alone = Find();
  EXPECT_EQ(alone.verdict, CandidatesVerdict::kSome);
  EXPECT_TRUE(alone.alone);
  EXPECT_TRUE(alone.decode[0].may_run_prompt);
  Add(kPrefill, link::ROLE_PREFILL);
  const Candidates both = Find();
  EXPECT_FALSE(both.alone);
  EXPECT_FALSE(both.decode[0].may_run_prompt);
}

TEST_F(CandidatesTest, FullWorkersLeaveTheSet) {
  Worker& prefill = Add(kPrefill, link::ROLE_PREFILL);
  Worker& decode = Add(kDecode, link::ROLE_DECODE);
  State(prefill, Load(1000, 2001));  // 2.001 s of backlog
  EXPECT_EQ(Find().verdict, CandidatesVerdict::kFull);
  State(prefill, Load(1000, 1999));
  EXPECT_EQ(Find().verdict, CandidatesVerdict::kSome);
  State(decode, Load(6));  // 100 tokens and one more are 7 pages of 16
  EXPECT_EQ(Find().verdict, CandidatesVerdict::kFull);
  State(decode, Load(7));
  EXPECT_EQ(Find().verdict, CandidatesVerdict::kSome);
}

TEST_F(CandidatesTest, HeldPagesNeedNoRoom) {
  Add(kPrefill, link::ROLE_PREFILL);
  Worker& decode = Add(kDecode, link::ROLE_DECODE);
  State(decode, Load(5));
  const std::vector<std::uint64_t> keys = {1, 2, 3, 4, 5, 6};
  link::CacheEvents events;
  events.add_stored(1);
  events.add_stored(2);
  index_.Apply(kDecode, events);
  query_.keys = keys;
  EXPECT_EQ(Find().verdict, CandidatesVerdict::kSome);
}

TEST_F(CandidatesTest, APromptBeyondEveryPoolNeverFits) {
  Add(kPrefill, link::ROLE_PREFILL);
  Worker& decode = Add(kDecode, link::ROLE_DECODE);
  decode.facts.set_pages(6);
  EXPECT_EQ(Find().verdict, CandidatesVerdict::kNeverFits);
  decode.facts.set_pages(1000);
  fleet_.Find(kPrefill)->facts.set_pages(6);
  EXPECT_EQ(Find().verdict, CandidatesVerdict::kNeverFits);
}

TEST_F(CandidatesTest, AvoidedWorkersServeWhenNobodyElseDoes) {
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE);
  const std::vector<LinkId> avoid = {kPrefill, kDecode};
  query_.avoid = avoid;
  EXPECT_EQ(Find().decode.size(), 1U);
  Add(kOther, link::ROLE_DECODE);
  const Candidates found = Find();
  ASSERT_EQ(found.decode.size(), 1U);
  EXPECT_EQ(found.decode[0].link, kOther);
  EXPECT_EQ(found.prefill[0].link, kPrefill);
}

TEST_F(CandidatesTest, DecodeThatHoldsMoreThanAnyPrefillMayRunThePrompt) {
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE);
  const std::vector<std::uint64_t> keys = {1, 2, 3, 4, 5, 6};
  query_.keys = keys;
  link::CacheEvents events;
  events.add_stored(1);
  events.set_next_number(1);
  index_.Apply(kDecode, events);
  EXPECT_TRUE(Find().decode[0].may_run_prompt);
  index_.Apply(kPrefill, events);
  EXPECT_FALSE(Find().decode[0].may_run_prompt);  // no more than prefill

  options_.local_prefill_tokens_max = 84;  // 100 less one page
  EXPECT_TRUE(Find().decode[0].may_run_prompt);
  options_.local_prefill_tokens_max = 83;
  EXPECT_FALSE(Find().decode[0].may_run_prompt);
}

TEST_F(CandidatesTest, ASuspectWorkerIsNoCandidate) {
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE).heard_at = kNow - std::chrono::seconds(11);
  EXPECT_EQ(Find().verdict, CandidatesVerdict::kNoWorker);
}

}  // namespace
}  // namespace baton
