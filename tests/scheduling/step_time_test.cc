#include "scheduling/step_time.h"

#include <random>

#include "gtest/gtest.h"

namespace baton {
namespace {

constexpr StepCost kTruth{.fixed = 2e-3, .per_token = 4e-5, .per_pair = 3e-9, .per_sequence = 1e-4};

StepShape DrawShape(std::mt19937_64& draw) {
  StepShape shape;
  const int runs = static_cast<int>(draw() % 16) + 1;
  for (int i = 0; i < runs; ++i) {
    shape.AddRun(static_cast<double>(draw() % 4096), static_cast<double>(draw() % 512 + 1));
  }
  return shape;
}

TEST(StepTimeTest, SaysThePriorBeforeItHasSeenAStep) {
  const StepTime time(kTruth);
  EXPECT_EQ(time.cost(), kTruth);
}

TEST(StepTimeTest, ForgetsAWrongPrior) {
  StepTime time(StepCost{.fixed = 1, .per_token = 1e-2, .per_pair = 0, .per_sequence = 0});
  std::mt19937_64 draw(7);
  for (int i = 0; i < 3000; ++i) {
    const StepShape shape = DrawShape(draw);
    time.Observe(shape, kTruth.Seconds(shape));
  }
  for (int i = 0; i < 100; ++i) {
    const StepShape shape = DrawShape(draw);
    EXPECT_NEAR(time.Seconds(shape), kTruth.Seconds(shape), 0.02 * kTruth.Seconds(shape));
  }
}

TEST(StepTimeTest, OneStalledStepHardlyMovesIt) {
  StepTime time(kTruth);
  std::mt19937_64 draw(8);
  for (int i = 0; i < 500; ++i) {
    const StepShape shape = DrawShape(draw);
    const double noise = 1 + 0.02 * (static_cast<double>(draw() % 1000) / 500 - 1);
    time.Observe(shape, noise * kTruth.Seconds(shape));
  }
  const StepShape shape = DrawShape(draw);
  const double before = time.Seconds(shape);
  time.Observe(shape, 100.0);
  EXPECT_NEAR(time.Seconds(shape), before, 0.05 * before);
}

TEST(StepTimeTest, NoCoefficientIsNegative) {
  StepTime time(StepCost{});
  std::mt19937_64 draw(9);
  for (int i = 0; i < 300; ++i) {
    time.Observe(DrawShape(draw), 1e-3 * static_cast<double>(draw() % 100 + 1));
    EXPECT_GE(time.cost().fixed, 0);
    EXPECT_GE(time.cost().per_token, 0);
    EXPECT_GE(time.cost().per_pair, 0);
    EXPECT_GE(time.cost().per_sequence, 0);
  }
}

TEST(StepTimeTest, IgnoresSecondsThatNoStepTakes) {
  StepTime time(kTruth);
  StepShape shape;
  shape.AddRun(0, 64);
  time.Observe(shape, 0);
  time.Observe(shape, -1);
  time.Observe(shape, 1e9);
  EXPECT_EQ(time.cost(), kTruth);
}

TEST(StepTimeTest, ItSaysByHowMuchStepsScatter) {
  StepTime time({.fixed = 1e-2});
  EXPECT_EQ(time.residual_ratio(), 0);  // nothing seen
  std::mt19937_64 random(5);
  StepShape shape;
  shape.AddRun(0, 64);
  for (int i = 0; i < 2000; ++i) {
    const double share = static_cast<double>(random() >> 11) * 0x1.0p-53;
    time.Observe(shape, 1e-2 * (0.8 + 0.4 * share));  // 20 % to either side, p90 18 %
  }
  EXPECT_NEAR(time.residual_ratio(), 0.2, 0.03);
}

}  // namespace
}  // namespace baton
