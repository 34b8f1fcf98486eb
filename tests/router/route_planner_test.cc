#include "router/route_planner.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/router/messages.h"
#include "tests/testing/allocation_count.h"

namespace baton {
namespace {

constexpr Instant kNow{std::chrono::hours(1)};
constexpr LinkId kPrefill{1};
constexpr LinkId kDecode{2};
constexpr LinkId kOther{3};

link::Load Load(std::uint32_t free_pages, std::uint64_t queue_tokens = 0,
                std::uint64_t number = 1) {
  link::Load load;
  load.set_number(number);
  load.set_free_pages(free_pages);
  load.set_queue_requests(queue_tokens > 0 ? 1 : 0);
  load.set_queue_tokens(queue_tokens);
  load.set_step_seconds_per_token(1e-3);
  return load;
}

link::CacheEvents Stored(const std::vector<std::uint64_t>& keys, std::uint64_t first = 0) {
  link::CacheEvents events;
  events.set_first_number(first);
  for (const std::uint64_t key : keys) events.add_stored(key);
  events.set_next_number(first + keys.size());
  return events;
}

class RoutePlannerTest : public ::testing::Test {
 protected:
  void Add(LinkId link, link::Role role, std::uint32_t pages = 1000,
           const std::string& domain = "") {
    link::Register facts = RegisterOf("worker-" + std::to_string(Index(link)), role);
    facts.set_pages(pages);
    facts.set_link_domain(domain);
    ASSERT_TRUE(planner_->Join(link, facts, kNow));
  }
  void State(LinkId link, const link::Load& load) { planner_->OnLoad(link, load, kNow); }
  RoutePlan Plan(Instant now = kNow) { return planner_->Plan(ask_, now); }
  const Candidates& Found() const { return planner_->candidates(); }
  void Restart() { planner_.emplace(options_); }

  RouterOptions options_;
  std::optional<RoutePlanner> planner_{std::in_place, options_};
  std::vector<std::uint64_t> keys_ = {1, 2, 3, 4, 5, 6};
  RouteAsk ask_{.keys = keys_, .prompt_tokens = 100, .output_tokens = 10, .avoid = {}};
};

TEST_F(RoutePlannerTest, BothRolesAreNeededUnlessDecodeMayServeAlone) {
  EXPECT_EQ(Plan().verdict, CandidatesVerdict::kNoWorker);
  Add(kDecode, link::ROLE_DECODE);
  EXPECT_EQ(Plan().verdict, CandidatesVerdict::kNoWorker);
  EXPECT_EQ(planner_->Verdict(false, kNow), CandidatesVerdict::kNoWorker);
  ask_.alone_allowed = true;
  EXPECT_TRUE(Plan().alone);
  EXPECT_FALSE(Plan().choice->prefill.has_value());
  Add(kPrefill, link::ROLE_PREFILL);
  EXPECT_FALSE(Plan().alone);
  EXPECT_EQ(Plan().choice->prefill, kPrefill);
  EXPECT_EQ(planner_->Verdict(false, kNow), CandidatesVerdict::kSome);
}

TEST_F(RoutePlannerTest, FullWorkersLeaveTheSet) {
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE);
  State(kPrefill, Load(1000, 2001));  // 2.001 s of backlog
  EXPECT_EQ(Plan().verdict, CandidatesVerdict::kFull);
  EXPECT_EQ(Plan(kNow + Milliseconds(2)).verdict, CandidatesVerdict::kSome);  // it computes
  State(kPrefill, Load(1000, 1999, 2));
  EXPECT_EQ(Plan().verdict, CandidatesVerdict::kSome);
  State(kDecode, Load(6));  // 100 tokens and one more are 7 pages of 16
  EXPECT_EQ(Plan().verdict, CandidatesVerdict::kFull);
  State(kDecode, Load(7, 0, 2));
  EXPECT_EQ(Plan().verdict, CandidatesVerdict::kSome);
}

TEST_F(RoutePlannerTest, HeldPagesNeedNoRoom) {
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE);
  State(kDecode, Load(5));
  planner_->OnCacheEvents(kDecode, Stored({1, 2}), kNow);
  EXPECT_EQ(Plan().verdict, CandidatesVerdict::kSome);
}

TEST_F(RoutePlannerTest, APromptBeyondEveryPoolNeverFits) {
  Add(kPrefill, link::ROLE_PREFILL, 6);
  Add(kDecode, link::ROLE_DECODE);
  EXPECT_EQ(Plan().verdict, CandidatesVerdict::kNeverFits);
  Restart();
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE, 6);
  EXPECT_EQ(Plan().verdict, CandidatesVerdict::kNeverFits);
}

TEST_F(RoutePlannerTest, AvoidedWorkersServeWhenNobodyElseDoes) {
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE);
  const std::vector<LinkId> avoid = {kPrefill, kDecode};
  ask_.avoid = avoid;
  EXPECT_EQ(Plan().choice->decode, kDecode);
  Add(kOther, link::ROLE_DECODE);
  for (ask_.draw = 0; ask_.draw < 8; ++ask_.draw) EXPECT_EQ(Plan().choice->decode, kOther);
  EXPECT_EQ(Plan().choice->prefill, kPrefill);
}

TEST_F(RoutePlannerTest, DecodeThatHoldsMoreThanAnyPrefillMayRunThePrompt) {
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE);
  planner_->OnCacheEvents(kDecode, Stored({1}), kNow);
  Plan();
  EXPECT_TRUE(Found().decode[0].may_run_prompt);
  planner_->OnCacheEvents(kPrefill, Stored({1}), kNow);
  Plan();
  EXPECT_FALSE(Found().decode[0].may_run_prompt);  // no more than prefill

  options_.local_prefill_tokens_max = 84;  // 100 less one page
  for (const bool may : {true, false}) {
    Restart();
    Add(kPrefill, link::ROLE_PREFILL);
    Add(kDecode, link::ROLE_DECODE);
    planner_->OnCacheEvents(kDecode, Stored({1}), kNow);
    Plan();
    EXPECT_EQ(Found().decode[0].may_run_prompt, may);
    options_.local_prefill_tokens_max = 83;
  }
}

TEST_F(RoutePlannerTest, NoLocalPromptsMeansNotEvenOneThatIsWhollyHeld) {
  options_.local_prefill_tokens_max = 0;
  Restart();
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE);
  planner_->OnCacheEvents(kDecode, Stored(keys_), kNow);
  ask_.prompt_tokens = 6 * kTestPageTokens;
  EXPECT_EQ(Plan().choice->prefill, kPrefill);
}

TEST_F(RoutePlannerTest, ASuspectOrDrainingWorkerIsNoCandidate) {
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE);
  const Instant later = kNow + std::chrono::seconds(11);
  planner_->OnHeard(kPrefill, later);
  EXPECT_EQ(Plan(later).verdict, CandidatesVerdict::kNoWorker);
  planner_->OnHeard(kDecode, later);
  EXPECT_EQ(Plan(later).verdict, CandidatesVerdict::kSome);
  link::Load leaving = Load(1000);
  leaving.set_draining(true);
  State(kDecode, leaving);
  planner_->OnHeard(kDecode, later);
  EXPECT_EQ(Plan(later).verdict, CandidatesVerdict::kNoWorker);
}

TEST_F(RoutePlannerTest, ASnapshotMovesTheWorkerAndKeepsWhatItSaid) {
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE);
  State(kPrefill, Load(1000, 1000));
  planner_->OnCacheEvents(kPrefill, Stored({1, 2, 3}), kNow);
  link::CacheEvents snapshot = Stored({1, 2});
  snapshot.set_snapshot(true);
  snapshot.set_next_number(7);
  EXPECT_EQ(planner_->OnCacheEvents(kPrefill, snapshot, kNow), EventsVerdict::kApplied);
  const RoutePlan plan = Plan();
  EXPECT_EQ(plan.choice->cached_tokens, 2 * kTestPageTokens);
  EXPECT_NEAR(plan.choice->queue_seconds, 1.0, 1e-6);
}

TEST_F(RoutePlannerTest, SentWorkCountsUntilItIsSettled) {
  Add(kPrefill, link::ROLE_PREFILL);
  Add(kDecode, link::ROLE_DECODE);
  const RequestId id{1, 2};
  planner_->Charge(*Plan().choice, id, keys_, kNow);
  EXPECT_GT(Plan().choice->queue_seconds, 0);
  EXPECT_EQ(Plan().choice->cached_tokens, 6 * kTestPageTokens);
  planner_->Settle(kPrefill, id, keys_, /*forget_expected=*/true);
  planner_->Settle(kDecode, id, keys_, /*forget_expected=*/true);
  EXPECT_EQ(Plan().choice->queue_seconds, 0);
  EXPECT_EQ(Plan().choice->cached_tokens, 0);
}

// Fleets with link domains, drawn: what is near is found though it is not among the global best.
class DrawnPlannerTest : public RoutePlannerTest {
 protected:
  void Draw(std::uint32_t workers, std::uint32_t domains) {
    Restart();
    for (std::uint32_t w = 0; w < 2 * workers; ++w) {
      const link::Role role = w % 2 == 0 ? link::ROLE_PREFILL : link::ROLE_DECODE;
      Add(LinkId{w}, role, 100'000, "rack " + std::to_string(random_() % domains));
      link::Load load = Load(50'000 + static_cast<std::uint32_t>(random_() % 50'000));
      load.set_queue_requests(1 + static_cast<std::uint32_t>(random_() % 3));
      if (w % 2 == 0) load.set_queue_tokens(random_() % 12'000);
      load.set_running_sequences(static_cast<std::uint32_t>(random_() % 32));
      load.set_step_seconds_fixed(4e-3);
      load.set_step_seconds_per_token(8e-5 * (0.8 + 0.4 * Share()));
      load.set_step_seconds_per_sequence(1e-4);
      State(LinkId{w}, load);
      HoldSome(LinkId{w});
    }
    Wires();
  }

  void HoldSome(LinkId link) {
    std::vector<std::uint64_t> held(keys_.begin(),
                                    keys_.begin() + static_cast<long>(random_() % keys_.size()));
    if (random_() % 4 == 0) planner_->OnCacheEvents(link, Stored(held), kNow);
  }

  // 50 GB/s inside a domain and 2.5 across, 4.5 MB a page.
  void Wires() {
    for (int i = 0; i < 300; ++i) {
      const bool near = i % 2 == 0;
      link::HandoffReport report = ReportOf({1, 2}, 1, "committed");
      report.set_computed_tokens(64);
      report.set_pages_sent(1000);
      report.set_exposed_us(1000 + (near ? 90'000 : 1'800'000));
      planner_->OnReport(LinkId{0}, near ? Near() : Far(), report);
    }
  }
  LinkId Near() const { return Decode(true); }
  LinkId Far() const { return Decode(false); }
  LinkId Decode(bool near) const {
    const auto& workers = planner_->fleet().workers();
    const std::string& domain = workers.at(LinkId{0}).facts.link_domain();
    for (const auto& [link, worker] : workers) {
      if (worker.facts.role() != link::ROLE_DECODE) continue;
      if ((worker.facts.link_domain() == domain) == near) return link;
    }
    return LinkId{1};
  }

  // The cheapest of the pairs that the planner tried, and of all pairs.
  double Tried() {
    const RouteQuery query = planner_->QueryOf(ask_);
    Plan();
    double best = 1e18;
    for (std::size_t j = 0; j < Found().decode.size(); ++j) {
      const DecodeOption& d = Found().decode[j];
      for (std::size_t i = 0; i < Found().prefill.size(); ++i) {
        const PrefillOption& p = Found().prefill[i];
        if (p.domain != d.domain && (i >= kBest || j >= kBest)) continue;
        best = std::min(best, CostOf(query, &p, d).cost_seconds);
      }
    }
    return best;
  }
  double Exhaustive() const {
    const RouteQuery query = planner_->QueryOf(ask_);
    std::vector<PrefillOption> prefill;
    std::vector<DecodeOption> decode;
    for (const auto& [link, worker] : planner_->fleet().workers()) {
      const Slot slot = *planner_->index().SlotOf(link);
      const int held = kTestPageTokens * planner_->index().Depth(link, ask_.keys);
      if (worker.facts.role() == link::ROLE_PREFILL) {
        const PrefillOption p = planner_->table().PrefillAt(slot, held, kNow);
        if (p.queue_seconds <= ToSeconds(options_.backlog_max)) prefill.push_back(p);
      } else {
        decode.push_back(planner_->table().DecodeAt(slot, held, kNow));
      }
    }
    double best = 1e18;
    for (const DecodeOption& d : decode) {
      for (const PrefillOption& p : prefill) {
        best = std::min(best, CostOf(query, &p, d).cost_seconds);
      }
    }
    return best;
  }

  double Share() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }

  std::mt19937_64 random_{3};
};

TEST_F(DrawnPlannerTest, ThePairIsWithinTwoThousandthsOfAnExhaustiveSearch) {
  keys_.clear();
  for (std::uint64_t i = 0; i < 600; ++i) keys_.push_back(1000 + i);
  ask_.keys = keys_;
  for (const std::uint32_t workers : {8U, 64U, 256U}) {
    for (const std::uint32_t domains : {1U, 8U, 64U}) {
      Draw(workers, domains);
      double regret = 0;
      double total = 0;
      for (int round = 0; round < 60; ++round) {
        ask_.prompt_tokens = 64 + static_cast<int>(random_() % (600 * kTestPageTokens));
        ask_.keys =
            std::span(keys_).first(static_cast<std::size_t>(ask_.prompt_tokens / kTestPageTokens));
        const double best = Exhaustive();
        regret += Tried() - best;
        total += best;
      }
      EXPECT_LE(regret, 0.002 * total) << workers << " workers, " << domains << " domains";
      std::printf("%4u + %4u workers, %2u domains: regret %.3f %%\n", workers, workers, domains,
                  100 * regret / total);
    }
  }
}

TEST_F(DrawnPlannerTest, ADecisionDoesNotAllocateAfterWarmUp) {
  Draw(200, 8);
  for (ask_.draw = 0; ask_.draw < 100; ++ask_.draw) Plan();
  const std::uint64_t before = AllocationsOfThisThread();
  for (ask_.draw = 0; ask_.draw < 1000; ++ask_.draw) {
    ask_.prompt_tokens = 16 * (1 + static_cast<int>(ask_.draw % 6));
    Plan();
  }
  EXPECT_EQ(AllocationsOfThisThread(), before);
}

}  // namespace
}  // namespace baton
