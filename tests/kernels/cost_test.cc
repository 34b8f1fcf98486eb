// Costs against numbers counted by hand, from the table of operations: T tokens, H hidden and so
// on.
#include <vector>

#include "gtest/gtest.h"
#include "kernels/backend.h"

namespace baton {
namespace {

TEST(CostTest, EmbedReadsAndWritesEachElementOnce) {
  const Cost cost = CostOf(EmbedParams{.tokens = 3, .hidden = 10});
  EXPECT_EQ(cost.bytes, 4 * 3 * 10);
  EXPECT_EQ(cost.flops, 0);
}

TEST(CostTest, RmsNormWithAnAddMovesFourRows) {
  const int x = 0;
  EXPECT_EQ(CostOf(RmsNormParams{.rows = 3, .dim = 10, .x = &x}).bytes, 8 * 3 * 10);
  EXPECT_EQ(CostOf(RmsNormParams{.rows = 3, .dim = 10}).bytes, 4 * 3 * 10);
  EXPECT_EQ(CostOf(RmsNormParams{.rows = 3, .dim = 10}).flops, 4 * 3 * 10);
}

TEST(CostTest, GemmMovesEachMatrixOnce) {
  const Cost cost = CostOf(GemmParams{.m = 2, .n = 3, .k = 5, .batch = 7, .b_dtype = DType::kF32});
  EXPECT_EQ(cost.bytes, 7 * (2 * 10 + 4 * 15 + 2 * 6));
  EXPECT_EQ(cost.flops, 7 * 2 * 30);
}

TEST(CostTest, MlaAppendMovesOneRowATokenAndTheRopePartsOfQueries) {
  const Cost cost = CostOf(MlaAppendParams{
      .tokens = 3, .num_heads = 16, .nope_dim = 128, .rope_dim = 64, .latent_dim = 512});
  EXPECT_EQ(cost.bytes, 3 * (1152 + 1152 + 256 * 16));
  EXPECT_EQ(cost.flops, 3 * (4 * 512 + 3 * 64 * 17));
}

TEST(CostTest, MlaDecodeReadsEachVisibleTokenOnceASequence) {
  // One decode row over 100 tokens; a chunk of 3 rows that see 8, 9 and 10; an idle sequence.
  const std::vector<std::int32_t> starts{0, 1, 4, 4};
  const std::vector<std::int32_t> lengths{100, 10, 50};
  const Cost cost = CostOf(MlaDecodeParams{.sequences = 3,
                                           .num_heads = 16,
                                           .latent_dim = 512,
                                           .rope_dim = 64,
                                           .tokens_per_page = 64,
                                           .row_starts = starts.data(),
                                           .lengths = lengths.data()});
  EXPECT_EQ(cost.bytes, 110 * 1152 + 2176 * 16 * 4);
  EXPECT_EQ(cost.flops, 2176.0 * 16 * (100 + 8 + 9 + 10));
}

TEST(CostTest, GqaAppendMovesQueriesKeysAndValues) {
  const int norm = 0;
  GqaAppendParams params{.tokens = 3, .num_heads = 8, .kv_heads = 2, .head_dim = 16};
  EXPECT_EQ(CostOf(params).bytes, 3 * 16 * (2 * 2 * 8 + 2 * (2 + 2) * 2));
  EXPECT_EQ(CostOf(params).flops, 3 * 16 * 3 * 10);
  params.q_weight = params.k_weight = &norm;
  EXPECT_EQ(CostOf(params).flops, 3 * 16 * 7 * 10);
}

TEST(CostTest, GqaDecodeReadsEachVisibleTokenOnceASequence) {
  const std::vector<std::int32_t> starts{0, 1, 4, 4};
  const std::vector<std::int32_t> lengths{100, 10, 50};
  const Cost cost = CostOf(GqaDecodeParams{.sequences = 3,
                                           .num_heads = 32,
                                           .kv_heads = 8,
                                           .head_dim = 128,
                                           .tokens_per_page = 64,
                                           .row_starts = starts.data(),
                                           .lengths = lengths.data()});
  EXPECT_EQ(cost.bytes, 110 * 4096 + 2 * 128 * 32 * 2 * 4);
  EXPECT_EQ(cost.flops, 4.0 * 128 * 32 * (100 + 8 + 9 + 10));
}

TEST(CostTest, SiluMulReadsTwoAndWritesOne) {
  const Cost cost = CostOf(SiluMulParams{.tokens = 3, .inter = 10});
  EXPECT_EQ(cost.bytes, 6 * 3 * 10);
  EXPECT_EQ(cost.flops, 5 * 3 * 10);
}

TEST(CostTest, RouteExpertsReadsLogitsAndWritesChoices) {
  const Cost cost = CostOf(RouteExpertsParams{.tokens = 3, .experts = 64, .top_k = 6});
  EXPECT_EQ(cost.bytes, 4 * 3 * 64 + 8 * 3 * 6);
}

TEST(CostTest, ExpertFfnCountsTouchedExpertsOnly) {
  const std::vector<std::int32_t> ids{0, 5, 0, 7, 5, 7};  // three tokens, three experts
  const Cost cost = CostOf(ExpertFfnParams{
      .tokens = 3, .hidden = 10, .inter = 4, .experts = 8, .top_k = 2, .ids = ids.data()});
  EXPECT_EQ(cost.bytes, 3 * 10 * 4 * 2 * 3 + 4 * 3 * 10);
  EXPECT_EQ(cost.flops, 6 * 3 * 2 * 10 * 4);
}

}  // namespace
}  // namespace baton
