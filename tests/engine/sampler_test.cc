#include "engine/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace baton {
namespace {

SamplingParams Greedy() {
  SamplingParams params;
  params.temperature = 0;
  return params;
}

TokenOutput Sample(const std::vector<float>& logits, const SamplingParams& params, int position = 0,
                   int ids_with_text = -1) {
  const int vocab = static_cast<int>(logits.size());
  Sampler sampler(vocab, ids_with_text < 0 ? vocab : ids_with_text);
  auto output = sampler.Sample(logits, params, position);
  EXPECT_TRUE(output.ok()) << output.status();
  return output.ok() ? *output : TokenOutput();
}

// How often each token comes in `draws` positions.
std::vector<int> Histogram(const std::vector<float>& logits, SamplingParams params, int draws) {
  Sampler sampler(static_cast<int>(logits.size()), static_cast<int>(logits.size()));
  std::vector<int> counts(logits.size());
  for (int position = 0; position < draws; ++position) {
    const auto output = sampler.Sample(logits, params, position);
    EXPECT_TRUE(output.ok());
    ++counts[static_cast<std::size_t>(output->token)];
  }
  return counts;
}

TEST(SamplerTest, ALogitThatIsNotFiniteIsAnErrorNotAToken) {
  Sampler sampler(3, 3);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    const std::vector<float> logits = {1, bad, 2};
    EXPECT_EQ(sampler.Sample(logits, Greedy(), 7).status().code(), absl::StatusCode::kInternal);
  }
}

TEST(SamplerTest, ParametersOutOfRangeAreNamed) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto refused = [](auto change) {
    SamplingParams params;
    change(params);
    return std::string(CheckSampling(params).message());
  };
  for (const float bad : {-1.0F, kNan, kInfinity}) {
    EXPECT_NE(refused([&](auto& p) { p.temperature = bad; }).find("temperature"),
              std::string::npos);
  }
  for (const float bad : {0.0F, -1.0F, 1.1F, kNan}) {
    EXPECT_NE(refused([&](auto& p) { p.top_p = bad; }).find("top_p"), std::string::npos);
  }
  for (const float bad : {-0.1F, 1.1F, kNan}) {
    EXPECT_NE(refused([&](auto& p) { p.min_p = bad; }).find("min_p"), std::string::npos);
  }
  EXPECT_NE(refused([](auto& p) { p.top_k = -1; }).find("top_k"), std::string::npos);
  EXPECT_TRUE(CheckSampling(SamplingParams()).ok());
}

TEST(SamplerTest, GreedyTakesTheLowestIdOfEqualLogits) {
  EXPECT_EQ(Sample({1, 3, 3, 2}, Greedy()).token, 1);
  SamplingParams nearly = Greedy();
  nearly.temperature = 9e-6F;
  EXPECT_EQ(Sample({1, 3, 3, 2}, nearly).token, 1);
}

TEST(SamplerTest, IdsWithoutTextAreNeverChosenButStayInTheLogprobs) {
  SamplingParams params = Greedy();
  params.logprobs = 1;
  const TokenOutput output = Sample({0, 1, 5}, params, 0, 2);
  EXPECT_EQ(output.token, 1);
  const double sum = std::exp(0.0) + std::exp(1.0) + std::exp(5.0);
  EXPECT_FLOAT_EQ(output.logprob, static_cast<float>(1 - std::log(sum)));
  ASSERT_EQ(output.top.size(), 1U);
  EXPECT_EQ(output.top[0].token, 2);
  params.temperature = 1;
  params.logprobs = -1;
  for (int position = 0; position < 200; ++position) {
    EXPECT_LT(Sample({0, 1, 5}, params, position, 2).token, 2);
  }
}

TEST(SamplerTest, TopListsTheMostLikelyFirstAndTheChosenOnesValueIsTheSameNumber) {
  SamplingParams params = Greedy();
  params.logprobs = 3;
  const TokenOutput output = Sample({2, 7, 7, 1, 3}, params);
  ASSERT_EQ(output.top.size(), 3U);
  EXPECT_EQ(output.top[0].token, 1);
  EXPECT_EQ(output.top[1].token, 2);
  EXPECT_EQ(output.top[2].token, 4);
  EXPECT_EQ(output.top[0].logprob, output.logprob);
}

TEST(SamplerTest, LogprobsAreOnlyReportedWhenAskedFor) {
  SamplingParams params = Greedy();
  EXPECT_TRUE(Sample({1, 2}, params).top.empty());
  params.logprobs = 0;
  EXPECT_TRUE(Sample({1, 2}, params).top.empty());
  EXPECT_LT(Sample({1, 2}, params).logprob, 0);
  params.logprobs = 99;
  EXPECT_EQ(Sample({1, 2}, params).top.size(), 2U);
}

TEST(SamplerTest, ADrawDependsOnSeedPositionAndChoiceAlone) {
  const std::vector<float> logits(512, 0.0F);
  SamplingParams params;
  params.seed = 42;
  const TokenId first = Sample(logits, params, 10).token;
  EXPECT_EQ(Sample(logits, params, 10).token, first);
  EXPECT_NE(Sample(logits, params, 11).token, first);
  params.choice = 1;
  EXPECT_NE(Sample(logits, params, 10).token, first);
  params.choice = 0;
  params.seed = 43;
  EXPECT_NE(Sample(logits, params, 10).token, first);
  params.seed = 42 + (std::uint64_t{1} << 32);
  EXPECT_NE(Sample(logits, params, 10).token, first);
}

TEST(SamplerTest, FrequenciesFollowTheDistribution) {
  SamplingParams params;
  params.seed = 1;
  const auto counts = Histogram({0.0F, std::log(2.0F), std::log(5.0F)}, params, 8000);
  EXPECT_NEAR(counts[0], 1000, 120);
  EXPECT_NEAR(counts[1], 2000, 160);
  EXPECT_NEAR(counts[2], 5000, 200);
}

TEST(SamplerTest, TemperatureSharpens) {
  SamplingParams params;
  params.temperature = 0.5F;
  const auto counts = Histogram({0.0F, std::log(2.0F)}, params, 5000);
  EXPECT_NEAR(counts[1], 4000, 160);
}

TEST(SamplerTest, TopKKeepsTheLowestIdsOfATie) {
  SamplingParams params;
  params.top_k = 2;
  const auto counts = Histogram({1, 2, 1, 1}, params, 500);
  EXPECT_GT(counts[0], 0);
  EXPECT_GT(counts[1], 0);
  EXPECT_EQ(counts[2] + counts[3], 0);
}

TEST(SamplerTest, TopPKeepsTheSmallestSetThatReachesIt) {
  const std::vector<float> logits = {std::log(1.0F), std::log(5.0F), std::log(3.0F),
                                     std::log(1.0F)};
  SamplingParams params;
  params.top_p = 0.79F;  // 0.5 + 0.3 reach it
  const auto two = Histogram(logits, params, 500);
  EXPECT_EQ(two[0] + two[3], 0);
  EXPECT_GT(two[2], 0);
  params.top_p = 0.85F;  // one of the equal ones is needed: the lower id
  const auto three = Histogram(logits, params, 500);
  EXPECT_GT(three[0], 0);
  EXPECT_EQ(three[3], 0);
  params.top_p = 1e-6F;  // never fewer than one
  EXPECT_EQ(Histogram(logits, params, 50)[1], 50);
}

TEST(SamplerTest, TopPReachesOverWhatTopKLeft) {
  const std::vector<float> logits = {std::log(4.0F), std::log(3.0F), std::log(3.0F)};
  SamplingParams params;
  params.top_k = 2;
  params.top_p = 0.55F;  // of 0.57 + 0.43
  EXPECT_EQ(Histogram(logits, params, 200)[0], 200);
}

TEST(SamplerTest, MinPIsRelativeToTheMostLikely) {
  const std::vector<float> logits = {std::log(1.0F), std::log(10.0F), std::log(3.0F)};
  SamplingParams params;
  params.min_p = 0.2F;
  const auto counts = Histogram(logits, params, 500);
  EXPECT_EQ(counts[0], 0);
  EXPECT_GT(counts[2], 0);
}

}  // namespace
}  // namespace baton
