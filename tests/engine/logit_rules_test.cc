// The rules of a request against a plain oracle in double precision, on generated rows; and one
// case a rule.
#include "engine/logit_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "engine/sampler.h"

namespace baton {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

SamplingParams Greedy() {
  SamplingParams params;
  params.temperature = 0;
  return params;
}

std::vector<float> Ruled(std::vector<float> row, const SamplingParams& params,
                         const SampleContext& context = {}) {
  ApplyLogitRules(params, context, row);
  return row;
}

TokenId Choose(const std::vector<float>& row, const SamplingParams& params,
               const SampleContext& context, int position) {
  Sampler sampler(static_cast<int>(row.size()), static_cast<int>(row.size()));
  const auto output = sampler.Sample(row, params, position, context);
  EXPECT_TRUE(output.ok()) << output.status();
  return output.ok() ? output->token : -1;
}

TEST(LogitRulesTest, NothingAskedForChangesNothing) {
  SampleContext context;
  context.tokens = {0, 1, 1};
  context.prompt_tokens = 1;
  EXPECT_FALSE(HasLogitRules(SamplingParams(), context));
  EXPECT_EQ(Ruled({1, -2, 3}, SamplingParams(), context), (std::vector<float>{1, -2, 3}));
  StopRule stop;
  stop.end_tokens = {2};
  EXPECT_TRUE(ContextOf(SamplingParams(), stop, context.tokens, 1).tokens.empty())
      << "no rule looks back: nothing is copied";
}

TEST(LogitRulesTest, OnlyAllowedTokensMayCome) {
  SamplingParams params = Greedy();
  params.rules.allowed_tokens = {1, 2, 99};
  EXPECT_EQ(Choose({9, 1, 2, 8}, params, {}, 0), 2);
  params.temperature = 1;
  for (int position = 0; position < 100; ++position) {
    const TokenId token = Choose({9, 1, 2, 8}, params, {}, position);
    EXPECT_TRUE(token == 1 || token == 2) << token;
  }
}

TEST(LogitRulesTest, ABadWordIsNotCompletedInTheAnswer) {
  SamplingParams params = Greedy();
  params.rules.bad_words = {{0, 3}, {2}};
  SampleContext context;
  context.tokens = {0};
  context.prompt_tokens = 1;
  EXPECT_EQ(Choose({1, 2, 9, 8}, params, context, 1), 3) << "the prompt is no part of the answer";
  context.tokens = {5, 0};
  EXPECT_EQ(Choose({1, 2, 9, 8}, params, context, 2), 1);
}

TEST(LogitRulesTest, EndTokensDoNotComeBeforeMinTokens) {
  StopRule stop;
  stop.max_tokens = 9;
  stop.min_tokens = 2;
  stop.end_tokens = {1};
  const std::vector<TokenId> tokens = {0, 0, 0, 0};
  const auto choose = [&](std::size_t length) {
    const auto context = ContextOf(Greedy(), stop, std::span(tokens).first(length), 2);
    return Choose({1, 9, 3}, Greedy(), context, static_cast<int>(length));
  };
  EXPECT_EQ(choose(2), 2);
  EXPECT_EQ(choose(3), 2);
  EXPECT_EQ(choose(4), 1);
  stop.ignore_end_tokens = true;
  EXPECT_EQ(choose(2), 1) << "an end token that ends nothing may come";
}

TEST(LogitRulesTest, AnAnswerIsOwedThoughEverythingIsForbidden) {
  SamplingParams params = Greedy();
  params.rules.allowed_tokens = {1};
  params.rules.bad_words = {{1}};
  SampleContext context;
  context.withheld = {1, 1};
  EXPECT_EQ(Choose({5, 1, 2}, params, context, 0), 1);
  params.rules.allowed_tokens = {77};  // none of this model's
  params.rules.bad_words.clear();
  EXPECT_EQ(Choose({5, 1, 2}, params, {}, 0), 0);
}

TEST(LogitRulesTest, PenaltiesFallOnWhatWasSaid) {
  SampleContext context;
  context.tokens = {0, 1, 2, 2};
  context.prompt_tokens = 2;
  SamplingParams params;
  params.rules.repetition_penalty = 2;
  EXPECT_EQ(Ruled({4, -4, 6, 5}, params, context), (std::vector<float>{2, -8, 3, 5}));
  params = SamplingParams();
  params.rules.frequency_penalty = 0.5F;
  params.rules.presence_penalty = 1;
  EXPECT_EQ(Ruled({4, -4, 6, 5}, params, context), (std::vector<float>{4, -4, 4, 5}));
}

TEST(LogitRulesTest, WhatIsReportedIsTheModelsOwnRow) {
  SamplingParams params = Greedy();
  params.rules.logit_bias = {{0, 100}};
  params.logprobs = 1;
  Sampler sampler(2, 2);
  const auto output = sampler.Sample(std::vector<float>{0, 3}, params, 0);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->token, 0);
  EXPECT_NEAR(output->logprob, -std::log1p(std::exp(3.0)), 1e-6);
  EXPECT_EQ(output->top[0].token, 1);
}

// The same rules, written down once more in the order of the documentation, in double.
std::vector<double> OracleRow(const std::vector<float>& row, const SamplingParams& params,
                              const SampleContext& context) {
  std::vector<double> out(row.begin(), row.end());
  const std::vector<TokenId> answer(context.tokens.begin() + context.prompt_tokens,
                                    context.tokens.end());
  for (std::size_t id = 0; id < out.size(); ++id) {
    const auto token = static_cast<TokenId>(id);
    const auto has = [token](const std::vector<TokenId>& list) {
      return std::find(list.begin(), list.end(), token) != list.end();
    };
    if (!params.rules.allowed_tokens.empty() && !has(params.rules.allowed_tokens)) out[id] = kNever;
    for (std::vector<TokenId> word : params.rules.bad_words) {
      const bool last = word.back() == token;
      word.pop_back();
      if (last && answer.size() >= word.size() &&
          std::equal(word.rbegin(), word.rend(), answer.rbegin())) {
        out[id] = kNever;
      }
    }
    if (has(context.withheld)) out[id] = kNever;
    for (const LogitBias& bias : params.rules.logit_bias) {
      if (bias.token == token) out[id] += bias.bias;
    }
    if (has(context.tokens)) {
      out[id] = out[id] > 0 ? out[id] / params.rules.repetition_penalty
                            : out[id] * params.rules.repetition_penalty;
    }
    const auto count = std::count(answer.begin(), answer.end(), token);
    out[id] -= params.rules.frequency_penalty * static_cast<double>(count);
    if (count > 0) out[id] -= params.rules.presence_penalty;
  }
  return out;
}

/// Ids that top_k, min_p and top_p leave, from a full sort.
std::set<TokenId> OracleKept(const std::vector<double>& row, const SamplingParams& params) {
  std::vector<std::pair<double, TokenId>> order;  // (-weight, id)
  const double largest = *std::max_element(row.begin(), row.end());
  for (std::size_t id = 0; id < row.size(); ++id) {
    const double weight = std::exp((row[id] - largest) / params.temperature);
    if (weight > 0 && weight >= params.min_p) order.emplace_back(-weight, static_cast<TokenId>(id));
  }
  std::sort(order.begin(), order.end());
  if (params.top_k > 0 && order.size() > static_cast<std::size_t>(params.top_k)) {
    order.resize(static_cast<std::size_t>(params.top_k));
  }
  double total = 0;
  for (const auto& entry : order) total -= entry.first;
  std::set<TokenId> kept;
  double sum = 0;
  for (const auto& [weight, token] : order) {
    if (!kept.empty() && params.top_p < 1 && sum >= params.top_p * total) break;
    kept.insert(token);
    sum -= weight;
  }
  return kept;
}

struct Drawn {
  std::vector<float> row;
  SamplingParams params;
  SampleContext context;
};

// Logits are multiples of 1/8 and penalties of 1/4 or 2: float and double agree to the last bit.
Drawn Draw(std::mt19937& random) {
  const auto below = [&random](int bound) {
    return static_cast<int>(random() % static_cast<unsigned>(bound));
  };
  Drawn drawn;
  const int vocab = 4 + below(60);
  for (int id = 0; id < vocab; ++id) drawn.row.push_back(static_cast<float>(below(200) - 100) / 8);
  drawn.context.prompt_tokens = below(6);
  const int length = drawn.context.prompt_tokens + below(12);
  for (int i = 0; i < length; ++i) drawn.context.tokens.push_back(below(vocab));
  SamplingParams& params = drawn.params;
  if (below(2)) params.rules.repetition_penalty = below(2) ? 2.0F : 0.5F;
  if (below(2)) params.rules.frequency_penalty = static_cast<float>(below(17) - 8) / 4;
  if (below(2)) params.rules.presence_penalty = static_cast<float>(below(17) - 8) / 4;
  for (int i = below(3); i > 0; --i) {
    params.rules.logit_bias.push_back({i * (vocab / 4), static_cast<float>(below(81) - 40) / 4});
  }
  for (int i = below(3); i > 0; --i) params.rules.bad_words.push_back({below(vocab)});
  if (below(2)) params.rules.bad_words.push_back({below(vocab), below(vocab)});
  if (below(3) == 0) {
    for (int id = 0; id < vocab; id += 2) params.rules.allowed_tokens.push_back(id);
  }
  if (below(3) == 0) drawn.context.withheld = {below(vocab)};
  return drawn;
}

TEST(LogitRulesTest, GeneratedRowsAgreeWithTheOracle) {
  std::mt19937 random(5);
  int forbidden = 0;
  for (int round = 0; round < 20'000; ++round) {
    Drawn drawn = Draw(random);
    const std::vector<double> oracle = OracleRow(drawn.row, drawn.params, drawn.context);
    const double largest = *std::max_element(oracle.begin(), oracle.end());
    if (largest == kNever) {
      ++forbidden;  // AnAnswerIsOwedThoughEverythingIsForbidden
      continue;
    }
    const std::vector<float> ruled = Ruled(drawn.row, drawn.params, drawn.context);
    for (std::size_t id = 0; id < ruled.size(); ++id) {
      ASSERT_EQ(static_cast<double>(ruled[id]), oracle[id]) << "round " << round << " id " << id;
    }
    SamplingParams greedy = drawn.params;
    greedy.temperature = 0;
    const auto first = std::max_element(oracle.begin(), oracle.end()) - oracle.begin();
    ASSERT_EQ(Choose(drawn.row, greedy, drawn.context, round), first) << "round " << round;
  }
  EXPECT_LT(forbidden, 200);
}

TEST(LogitRulesTest, GeneratedFiltersKeepWhatAFullSortKeeps) {
  std::mt19937 random(6);
  for (int round = 0; round < 2'000; ++round) {
    Drawn drawn = Draw(random);
    drawn.params.temperature = 0.5F + static_cast<float>(random() % 4);
    if (random() % 2) drawn.params.top_k = 1 + static_cast<int>(random() % 8);
    if (random() % 2) drawn.params.top_p = 0.25F * static_cast<float>(1 + random() % 3);
    if (random() % 2) drawn.params.min_p = 0.125F;
    const std::vector<double> oracle = OracleRow(drawn.row, drawn.params, drawn.context);
    if (*std::max_element(oracle.begin(), oracle.end()) == kNever) continue;
    const std::set<TokenId> kept = OracleKept(oracle, drawn.params);
    std::set<TokenId> seen;
    for (int position = 0; position < 60; ++position) {
      seen.insert(Choose(drawn.row, drawn.params, drawn.context, position));
    }
    ASSERT_TRUE(std::includes(kept.begin(), kept.end(), seen.begin(), seen.end()))
        << "round " << round;
    if (kept.size() == 1) {
      ASSERT_EQ(seen, kept);
    }
  }
}

// Chi-square of 100,000 draws against the oracle's distribution. The bound is the 1 - 1e-6 quantile
// by Wilson and Hilferty's approximation, so a right sampler fails one seed in a million.
TEST(LogitRulesTest, DrawsFollowTheOraclesDistribution) {
  constexpr int kDraws = 100'000;
  std::mt19937 random(7);
  std::vector<float> row;
  for (int id = 0; id < 24; ++id) row.push_back(static_cast<float>(random() % 32) / 8);
  SampleContext context;
  context.tokens = {1, 2, 3, 3, 4};
  context.prompt_tokens = 1;
  std::vector<SamplingParams> settings(5);
  settings[1].temperature = 0.7F;
  settings[1].top_p = 0.9F;
  settings[2].temperature = 1.5F;
  settings[2].top_k = 6;
  settings[3].min_p = 0.1F;
  settings[3].rules.frequency_penalty = 1;
  settings[4].rules.repetition_penalty = 1.5F;
  settings[4].rules.logit_bias = {{3, 2}, {7, -4}};
  for (std::size_t i = 0; i < settings.size(); ++i) {
    settings[i].seed = 99 + i;
    const std::vector<double> oracle = OracleRow(row, settings[i], context);
    const std::set<TokenId> kept = OracleKept(oracle, settings[i]);
    std::map<TokenId, double> expected;
    double total = 0;
    for (const TokenId id : kept) {
      expected[id] = std::exp(oracle[static_cast<std::size_t>(id)] / settings[i].temperature);
      total += expected[id];
    }
    Sampler sampler(static_cast<int>(row.size()), static_cast<int>(row.size()));
    std::map<TokenId, int> counts;
    for (int position = 0; position < kDraws; ++position) {
      ++counts[sampler.Sample(row, settings[i], position, context)->token];
    }
    double chi_square = 0;
    for (const auto& [id, weight] : expected) {
      const double mean = weight / total * kDraws;
      chi_square += (counts[id] - mean) * (counts[id] - mean) / mean;
    }
    const double freedom = static_cast<double>(kept.size()) - 1;
    const double third = 1 - 2 / (9 * freedom) + 4.753 * std::sqrt(2 / (9 * freedom));
    EXPECT_LT(chi_square, freedom * third * third * third) << "setting " << i;
  }
}

}  // namespace
}  // namespace baton
