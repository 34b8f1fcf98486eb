#include "tests/bench/step_cost.h"

#include <gtest/gtest.h>

namespace baton::bench {
namespace {

// Counted by hand: one head, no low rank, one dense layer and one of experts.
DeepseekConfig Config() {
  DeepseekConfig config;
  config.vocab_size = 10;
  config.hidden = 4;
  config.num_layers = 2;
  config.num_heads = 1;
  config.rope_dim = 2;
  config.latent_dim = 3;
  config.nope_dim = 2;
  config.v_dim = 2;
  config.dense_inter = 5;
  config.experts = 4;
  config.expert_inter = 3;
  config.shared_inter = 2;
  config.top_k = 2;
  config.first_moe_layer = 1;
  return config;
}

// A layer: query 4 x 4, latent and rope 4 x 5, key and value 3 x 4, out 2 x 4 = 56; then 60 dense,
// or 24 shared and a router of 16. The head: 40. An expert: 36.
TEST(StepCostTest, OneTokenReadsItsExpertsAndItsCache) {
  const Cost cost = StepCost(Config(), {.sequences = 1, .rows = 1, .context = 6});
  const double dense = 56 + 60 + 56 + 24 + 16 + 40;
  EXPECT_DOUBLE_EQ(cost.bytes, 2 * (dense + 2 * 36 + 2 * 7 * 5));
  EXPECT_DOUBLE_EQ(cost.flops, 2 * (dense + 2 * 36) + 2 * 2 * (3 + 5) * 7);
}

TEST(StepCostTest, ManyTokensReadEveryWeightOnce) {
  const Cost cost = StepCost(Config(), {.sequences = 1, .rows = 64, .context = 0});
  const double layers = 56 + 60 + 56 + 24 + 16;
  EXPECT_NEAR(cost.bytes, 2 * (layers + 40 + 4 * 36 + 2 * 64 * 5), 1e-6);
  const double seen = 64 * 65 / 2.0;
  EXPECT_DOUBLE_EQ(cost.flops, 2 * (64 * (layers + 2 * 36) + 40) + 2 * 2 * 8 * seen);
}

}  // namespace
}  // namespace baton::bench
