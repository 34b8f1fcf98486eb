#include "router/route.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "router/fleet_index.h"

namespace baton {
namespace {

constexpr StepCost kCost{.fixed = 1e-3, .per_token = 1e-4, .per_pair = 0, .per_sequence = 1e-4};

RouteQuery Query(int prompt_tokens, std::uint64_t draw = 0) {
  RouteQuery query;
  query.prompt_tokens = prompt_tokens;
  query.output_tokens = 100;
  query.draw = draw;
  return query;
}

PrefillOption Prefill(std::uint32_t link, int held = 0, double queue = 0) {
  PrefillOption option;
  option.link = LinkId{link};
  option.cost = kCost;
  option.held_tokens = held;
  option.queue_seconds = queue;
  return option;
}

DecodeOption Decode(std::uint32_t link, int held = 0, double running = 0) {
  DecodeOption option;
  option.link = LinkId{link};
  option.cost = kCost;
  option.held_tokens = held;
  option.running_sequences = running;
  return option;
}

std::optional<RouteChoice> ChooseRoute(const RouteQuery& query,
                                       const std::vector<PrefillOption>& prefill,
                                       const std::vector<DecodeOption>& decode) {
  return RouteChooser().Choose(query, prefill, decode);
}

TEST(RouteTest, WithoutAPairThereIsNoChoice) {
  const std::vector<PrefillOption> prefill = {Prefill(1)};
  const std::vector<DecodeOption> decode = {Decode(2)};
  EXPECT_FALSE(ChooseRoute(Query(10), prefill, {}).has_value());
  EXPECT_FALSE(ChooseRoute(Query(10), {}, decode).has_value());  // it may not run the prompt
}

TEST(RouteTest, TheHolderOfThePrefixWinsOnAnIdleFleet) {
  const std::vector<PrefillOption> prefill = {Prefill(1), Prefill(2, 640), Prefill(3)};
  const std::vector<DecodeOption> decode = {Decode(4), Decode(5)};
  for (std::uint64_t draw = 0; draw < 10; ++draw) {
    const auto choice = ChooseRoute(Query(700, draw), prefill, decode);
    EXPECT_EQ(choice->prefill, LinkId{2});
    EXPECT_EQ(choice->cached_tokens, 640);
    EXPECT_EQ(choice->computed_tokens, 60);
  }
}

TEST(RouteTest, TheLongestMatchLosesBehindALongQueue) {
  const std::vector<PrefillOption> prefill = {Prefill(1), Prefill(2, 640, /*queue=*/1.0)};
  const std::vector<DecodeOption> decode = {Decode(4)};
  EXPECT_EQ(ChooseRoute(Query(700), prefill, decode)->prefill, LinkId{1});
}

TEST(RouteTest, TheLastTokenOfACachedPromptIsComputed) {
  const std::vector<PrefillOption> prefill = {Prefill(1, 128)};
  const std::vector<DecodeOption> decode = {Decode(2)};
  const auto choice = ChooseRoute(Query(128), prefill, decode);
  EXPECT_EQ(choice->cached_tokens, 127);
  EXPECT_EQ(choice->computed_tokens, 1);
}

TEST(RouteTest, TheFasterPrefillWorkerWinsALongPrompt) {
  std::vector<PrefillOption> prefill = {Prefill(1), Prefill(2)};
  prefill[1].cost.per_token /= 3;
  const std::vector<DecodeOption> decode = {Decode(3)};
  EXPECT_EQ(ChooseRoute(Query(5000), prefill, decode)->prefill, LinkId{2});
}

TEST(RouteTest, DecodeGoesToTheEmptierBatchAndPool) {
  const std::vector<PrefillOption> prefill = {Prefill(1)};
  std::vector<DecodeOption> decode = {Decode(2, 0, 8), Decode(3, 0, 2)};
  EXPECT_EQ(ChooseRoute(Query(100), prefill, decode)->decode, LinkId{3});
  decode = {Decode(2), Decode(3)};
  decode[0].pool_used = 0.95;
  EXPECT_EQ(ChooseRoute(Query(100), prefill, decode)->decode, LinkId{3});
}

TEST(RouteTest, DecodeThatHoldsThePrefixSavesTheWire) {
  RouteQuery query = Query(6400);
  for (int i = 0; i < 200; ++i) query.wire.Observe(0.5, 100, 1);  // a slow wire: 5 ms a page
  const std::vector<PrefillOption> prefill = {Prefill(1)};
  const std::vector<DecodeOption> decode = {Decode(2), Decode(3, 6400)};
  for (std::uint64_t draw = 0; draw < 10; ++draw) {
    query.draw = draw;
    EXPECT_EQ(ChooseRoute(query, prefill, decode)->decode, LinkId{3});
  }
}

TEST(RouteTest, DecodeRunsAShortSuffixItselfUnlessItsBatchWouldWait) {
  const std::vector<PrefillOption> prefill = {Prefill(1)};
  std::vector<DecodeOption> decode = {Decode(2, 640)};
  decode[0].may_run_prompt = true;
  EXPECT_FALSE(ChooseRoute(Query(650), prefill, decode)->prefill.has_value());
  decode[0].running_sequences = 200;
  decode[0].held_tokens = 0;
  EXPECT_TRUE(ChooseRoute(Query(650), prefill, decode)->prefill.has_value());
}

TEST(RouteTest, EqualsGoToTheLeastFilledAndThenToTheDraw) {
  std::vector<PrefillOption> prefill = {Prefill(1), Prefill(2), Prefill(3)};
  prefill[0].stored_tokens = 100;
  const std::vector<DecodeOption> decode = {Decode(4)};
  std::map<LinkId, int> chosen;
  for (std::uint64_t draw = 0; draw < 100; ++draw) {
    ++chosen[*ChooseRoute(Query(100, draw), prefill, decode)->prefill];
  }
  EXPECT_EQ(chosen[LinkId{1}], 0);
  EXPECT_EQ(chosen[LinkId{2}], 50);
  EXPECT_EQ(chosen[LinkId{3}], 50);
}

TEST(RouteTest, PrefillSecondsCountEveryChunk) {
  const StepCost cost{.fixed = 1, .per_token = 0.1, .per_pair = 0.01, .per_sequence = 0.5};
  // Two chunks of 10 after 4 cached tokens: pairs 10 (4 + 5) + 10 (14 + 5).
  EXPECT_NEAR(PrefillSeconds(cost, 4, 20, 10), 2 * 1 + 2.0 + 0.01 * 280 + 2 * 0.5, 1e-9);
}

TEST(RouteTest, ComputationHidesTheWireOfAllButTheLastChunk) {
  WireCost wire;
  for (int i = 0; i < 500; ++i) wire.Observe(1e-3 + 0.010, 10, 1);  // 1 ms a page
  EXPECT_NEAR(wire.Exposed(10, 1, 5.0), 1e-3 + 0.010, 1e-4);
  EXPECT_NEAR(wire.Exposed(10, 10, 5.0), 1e-3 + 0.001, 1e-4);    // a tenth is left
  EXPECT_NEAR(wire.Exposed(100, 10, 0.01), 1e-3 + 0.091, 1e-3);  // the wire is the slower
}

TEST(RouteTest, AmongEqualsWhoHoldsThePromptWinsUntilItHasStoredTwiceAsMuch) {
  // Nothing to gain: the wire is free and the batches are empty.
  RouteQuery query = Query(1280);
  const std::vector<PrefillOption> prefill = {Prefill(1)};
  std::vector<DecodeOption> decode = {Decode(2), Decode(3, /*held=*/1280)};
  decode[1].stored_tokens = 2500;
  EXPECT_EQ(ChooseRoute(query, prefill, decode)->decode, LinkId{3});
  decode[1].stored_tokens = 2600;
  EXPECT_EQ(ChooseRoute(query, prefill, decode)->decode, LinkId{2});
}

TEST(RouteTest, BehindTheFirstEightOnlyPairsOfOneDomainAreTried) {
  RouteQuery query = Query(6400);
  for (int i = 0; i < 200; ++i) query.wire.Observe(0.5, 100, 1, /*near=*/false);
  std::vector<PrefillOption> prefill;
  std::vector<DecodeOption> decode;
  for (std::uint32_t i = 0; i < kBest; ++i) prefill.push_back(Prefill(i));
  for (std::uint32_t i = 0; i < kBest; ++i) decode.push_back(Decode(100 + i));
  for (PrefillOption& p : prefill) p.domain = 1;
  decode.push_back(Decode(200));
  decode.back().domain = 1;  // near to all prefill workers, and idle like all others
  EXPECT_EQ(ChooseRoute(query, prefill, decode)->decode, LinkId{200});
}

TEST(RouteTest, TheTermsOfAChoiceAddUpToItsCost) {
  const std::vector<PrefillOption> prefill = {Prefill(1, 64, 0.25)};
  const std::vector<DecodeOption> decode = {Decode(2, 0, 3)};
  const auto choice = ChooseRoute(Query(700), prefill, decode);
  EXPECT_DOUBLE_EQ(choice->queue_seconds, 0.25);
  EXPECT_GT(choice->compute_seconds, 0);
  EXPECT_GT(choice->exposed_seconds, 0);
  EXPECT_DOUBLE_EQ(choice->cost_seconds, choice->queue_seconds + choice->compute_seconds +
                                             choice->exposed_seconds + choice->slow_seconds);
}

// A day at the door in small: prompts that all share their first page, six workers. Whoever first
// held it would get everything by the longest match; by cost the load spreads and pages are reused.
class SharedPrefixTest : public ::testing::Test {
 protected:
  struct Outcome {
    double imbalance = 0;  // busiest over mean
    double hit_share = 0;
  };

  // `by_cost` false: the longest match, ties by backlog.
  static Outcome Run(bool by_cost) {
    constexpr int kWorkers = 6;
    constexpr int kPages = 40;
    FleetIndex index(1 << 24);
    for (std::uint32_t w = 0; w < kWorkers; ++w) index.AddWorker(LinkId{w});
    std::vector<double> busy_until(kWorkers, 0);
    std::vector<double> work(kWorkers, 0);
    std::mt19937_64 random(5);
    double hits = 0;
    double pages = 0;
    const std::vector<DecodeOption> decode = {Decode(99)};
    for (int i = 0; i < 600; ++i) {
      const double now = i * 0.05;
      std::vector<std::uint64_t> keys = {0};  // the system prompt's page
      const std::uint64_t conversation = 1 + random() % 60;
      for (std::uint64_t p = 1; p < kPages; ++p) keys.push_back(conversation * 1000 + p);
      std::vector<PrefillOption> options;
      for (std::uint32_t w = 0; w < kWorkers; ++w) {
        const int held = 64 * index.Depth(LinkId{w}, keys);
        options.push_back(Prefill(w, held, std::max(0.0, busy_until[w] - now)));
      }
      const std::size_t chosen = by_cost ? ByCost(options, decode, random()) : ByMatch(options);
      const RouteQuery query = Query(64 * kPages);
      const RouteChoice choice = CostOf(query, &options[chosen], decode[0]);
      const double seconds =
          PrefillSeconds(kCost, choice.cached_tokens, choice.computed_tokens, 8192);
      busy_until[chosen] = std::max(busy_until[chosen], now) + seconds;
      work[chosen] += seconds;
      hits += choice.cached_tokens / 64.0;
      pages += kPages;
      index.Expect(LinkId{static_cast<std::uint32_t>(chosen)}, keys, kNever);
    }
    double sum = 0;
    for (const double w : work) sum += w;
    return {.imbalance = *std::max_element(work.begin(), work.end()) / (sum / kWorkers),
            .hit_share = hits / pages};
  }

  static std::size_t ByCost(const std::vector<PrefillOption>& options,
                            const std::vector<DecodeOption>& decode, std::uint64_t draw) {
    return Index(*ChooseRoute(Query(64 * 40, draw), options, decode)->prefill);
  }
  static std::size_t ByMatch(const std::vector<PrefillOption>& options) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < options.size(); ++i) {
      if (options[i].held_tokens > options[best].held_tokens) best = i;
    }
    return best;
  }
};

TEST_F(SharedPrefixTest, TheLongestMatchAloneSendsEverythingToOneWorker) {
  EXPECT_GT(Run(/*by_cost=*/false).imbalance, 5.9);
}

TEST_F(SharedPrefixTest, TheCostSpreadsTheLoadAndReusesPages) {
  const Outcome outcome = Run(/*by_cost=*/true);
  EXPECT_LT(outcome.imbalance, 1.25);
  EXPECT_GT(outcome.hit_share, 0.5);
}

}  // namespace
}  // namespace baton
