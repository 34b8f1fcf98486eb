#include <cmath>

#include "tests/kernels/backend_test.h"

namespace baton {
namespace {

using testing::Random;

class RouteExpertsTest : public testing::BackendTest {
 protected:
  // Fills logits, bias and results into `params` and runs it on `backend`.
  bool Run(const Backend& backend, RouteExpertsParams params, int threads = 1) {
    const auto routed =
        static_cast<std::size_t>(params.tokens) * static_cast<std::size_t>(params.top_k);
    ids_.assign(routed, -7);
    weights_.assign(routed, std::nanf(""));
    params.logits = logits_.data();
    params.bias = params.method == GateMethod::kNoAuxTc ? bias_.data() : nullptr;
    params.ids = ids_.data();
    params.weights = weights_.data();
    Stream stream(threads);
    return backend.route_experts(params, stream).ok();
  }

  std::vector<float> logits_;
  std::vector<float> bias_;
  std::vector<std::int32_t> ids_;
  std::vector<float> weights_;
};

TEST_P(RouteExpertsTest, RefusesMoreChoicesThanTheKeptGroupsHave) {
  logits_.assign(8, 0);
  bias_.assign(8, 0);
  EXPECT_FALSE(Run(*backend_, {.tokens = 1,
                               .experts = 8,
                               .top_k = 3,
                               .groups = 4,
                               .top_k_groups = 1,
                               .method = GateMethod::kNoAuxTc}));
  EXPECT_FALSE(Run(*backend_, {.tokens = 1, .experts = 8, .top_k = 9}));
}

TEST_P(RouteExpertsTest, GreedyTakesTheLargestAndTiesGoToTheLowestIndex) {
  logits_ = {1, 3, 3, 0, 3};
  ASSERT_TRUE(Run(*backend_, {.tokens = 1, .experts = 5, .top_k = 2, .scaling_factor = 4}));
  EXPECT_EQ(ids_, (std::vector<std::int32_t>{1, 2}));
  const double sum = std::exp(-2.0) + std::exp(-3.0) + 3;
  EXPECT_FLOAT_EQ(weights_[0], static_cast<float>(4 / sum));
}

TEST_P(RouteExpertsTest, NormalisedWeightsSumToTheFactor) {
  logits_ = {1, 3, 2, 0, -1};
  ASSERT_TRUE(
      Run(*backend_,
          {.tokens = 1, .experts = 5, .top_k = 3, .normalize = true, .scaling_factor = 2.5F}));
  EXPECT_FLOAT_EQ(weights_[0] + weights_[1] + weights_[2], 2.5F);
}

TEST_P(RouteExpertsTest, GroupLimitedKeepsTheGroupOfTheBestExpert) {
  logits_ = {5, -9, 4, 4, 0, 1};  // groups of two: maxima 5, 4, 1
  ASSERT_TRUE(Run(*backend_, {.tokens = 1,
                              .experts = 6,
                              .top_k = 2,
                              .groups = 3,
                              .top_k_groups = 1,
                              .method = GateMethod::kGroupLimitedGreedy}));
  EXPECT_EQ(ids_, (std::vector<std::int32_t>{0, 1}));
}

TEST_P(RouteExpertsTest, NoAuxTcChoosesWithTheBiasAndWeighsWithoutIt) {
  // Sums of two best: group 0 has 0.5 + 0.5, group 1 has one bias that lifts it.
  logits_ = {0, 0, 0, -20};
  bias_ = {0, 0, 2, 0};
  ASSERT_TRUE(Run(*backend_, {.tokens = 1,
                              .experts = 4,
                              .top_k = 2,
                              .groups = 2,
                              .top_k_groups = 1,
                              .method = GateMethod::kNoAuxTc}));
  EXPECT_EQ(ids_, (std::vector<std::int32_t>{2, 3}));
  EXPECT_FLOAT_EQ(weights_[0], 0.5F);
  EXPECT_NEAR(weights_[1], 1 / (1 + std::exp(20.0)), 1e-12);
}

TEST_P(RouteExpertsTest, MaskedGroupsStayOutThoughAllScoresAreNegative) {
  logits_ = {0, 0, 0, 0};
  bias_ = {-3, -3, -4, -4};
  ASSERT_TRUE(Run(*backend_, {.tokens = 1,
                              .experts = 4,
                              .top_k = 2,
                              .groups = 2,
                              .top_k_groups = 1,
                              .method = GateMethod::kNoAuxTc}));
  EXPECT_EQ(ids_, (std::vector<std::int32_t>{0, 1}));
}

TEST_P(RouteExpertsTest, EqualsTheReferenceBitForBit) {
  Random random(50);
  for (int number = 0; number < 30; ++number) {
    SCOPED_TRACE(Where(number));
    const RouteExpertsParams params{
        .tokens = random.Integer(0, 20),
        .experts = 16,
        .top_k = random.Integer(1, 4),
        .groups = 4,
        .top_k_groups = random.Integer(1, 4),
        .method = random.Pick<GateMethod>(
            {GateMethod::kGreedy, GateMethod::kGroupLimitedGreedy, GateMethod::kNoAuxTc}),
        .normalize = random.Integer(0, 1) == 1};
    logits_.clear();
    bias_.clear();
    for (int i = 0; i < params.tokens * 16; ++i) {
      logits_.push_back(static_cast<float>(random.Integer(-4, 4)));  // many ties
    }
    for (int i = 0; i < 16; ++i) bias_.push_back(random.Normal());
    ASSERT_TRUE(Run(ReferenceBackend(), params));
    const auto want_ids = ids_;
    const auto want_weights = weights_;
    ASSERT_TRUE(Run(*backend_, params, random.Integer(1, 3)));
    EXPECT_EQ(ids_, want_ids);
    EXPECT_EQ(weights_, want_weights);
  }
}

BATON_ON_EVERY_BACKEND(RouteExpertsTest);

}  // namespace
}  // namespace baton
