#include "decode/decode_scheduler.h"

#include "decode/page_budget.h"
#include "gtest/gtest.h"
#include "kvcache/prefix_index.h"

namespace baton {
namespace {

TEST(DecodeSchedulerTest, EveryRunningSequenceIsInTheStep) {
  const std::vector<DecodeCandidate> candidates = {
      {SequenceId{1}, 500, 501}, {SequenceId{2}, 0, 1}, {SequenceId{3}, 64, 65}};
  const std::vector<DecodeRun> wanted = {
      {SequenceId{1}, 500, 501, true}, {SequenceId{2}, 0, 1, true}, {SequenceId{3}, 64, 65, true}};
  EXPECT_EQ(PlanDecodeStep(candidates, {.step_tokens_max = 3, .page_tokens = 64}), wanted);
}

TEST(DecodeSchedulerTest, PromptsTakeWhatDecodesLeave) {
  const std::vector<DecodeCandidate> candidates = {
      {SequenceId{1}, 0, 300}, {SequenceId{2}, 9, 10}, {SequenceId{3}, 0, 20}};
  const std::vector<DecodeRun> wanted = {
      {SequenceId{2}, 9, 10, true}, {SequenceId{1}, 0, 64, false}, {SequenceId{3}, 0, 20, true}};
  EXPECT_EQ(PlanDecodeStep(candidates, {.step_tokens_max = 100, .page_tokens = 64}), wanted);
}

TEST(DecodeSchedulerTest, PlansNothingForNobody) { EXPECT_TRUE(PlanDecodeStep({}, {}).empty()); }

TEST(PageBudgetTest, WhatIsPromisedIsNotGivenAgain) {
  PrefixIndex index(10);
  PagePool pool(10, index);
  PageBudget budget(pool, {.watermark_pages = 1, .inbound_pages_max = 4});
  EXPECT_TRUE(budget.Fits(4, 6));  // alone, the watermark does not count
  EXPECT_FALSE(budget.Fits(4, 7));
  budget.Promise(6);
  EXPECT_TRUE(budget.Fits(2, 1));
  EXPECT_FALSE(budget.Fits(2, 2));
  budget.Redeem(6);
  EXPECT_TRUE(budget.Fits(10, 0));
}

TEST(PageBudgetTest, OneHandoffMayExceedTheShareOfInboundPages) {
  PrefixIndex index(10);
  PagePool pool(10, index);
  PageBudget budget(pool, {.watermark_pages = 0, .inbound_pages_max = 4});
  EXPECT_TRUE(budget.MayLend(8));
  budget.Lend(3);
  EXPECT_TRUE(budget.MayLend(1));
  EXPECT_FALSE(budget.MayLend(2));
}

}  // namespace
}  // namespace baton
