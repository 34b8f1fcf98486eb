// YaRN's published numbers for DeepSeek-V2-Lite and V3.
#include "engine/model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

namespace baton {
namespace {

DeepseekConfig V2Lite() {
  DeepseekConfig config;
  config.nope_dim = 128;
  config.rope_dim = 64;
  config.yarn = YarnScaling{40, 4096, 32, 1, 0.707, 0.707};
  return config;
}

TEST(RopeTest, FastPairsStayAndSlowPairsAreStretched) {
  const std::vector<double> inv = RopeFrequencies(V2Lite());
  ASSERT_EQ(inv.size(), 32U);
  EXPECT_NEAR(inv[0], 1.0, 1e-12);
  EXPECT_NEAR(inv[10], 0.0562341, 1e-7);
  EXPECT_NEAR(inv[11], 0.0390069, 1e-7);
  EXPECT_NEAR(inv[16], 0.0055, 1e-9);
  EXPECT_NEAR(inv[23], 3.333804e-5, 1e-11);
  EXPECT_NEAR(inv[31], 3.333804e-6, 1e-12);
}

TEST(RopeTest, TheSoftmaxScaleCarriesAllDimsMscaleSquared) {
  DeepseekConfig config = V2Lite();
  EXPECT_NEAR(SoftmaxScale(config), 0.1147214, 1e-7);
  config.yarn->mscale_all_dim = 1.0;
  EXPECT_NEAR(SoftmaxScale(config), 0.1352338, 1e-7);
  config.yarn->mscale_all_dim = 0;
  EXPECT_NEAR(SoftmaxScale(config), 0.0721688, 1e-7);
  config.yarn.reset();
  EXPECT_NEAR(SoftmaxScale(config), 0.0721688, 1e-7);
}

TEST(RopeTest, TablesCarryTheQuotientOfBothMscales) {
  DeepseekConfig config = V2Lite();
  EXPECT_FLOAT_EQ(MakeRopeTables(config, 2).cos[0], 1.0F);
  config.yarn->mscale = 1.0;
  const double quotient = 1.3688879454 / 1.2608038;
  EXPECT_NEAR(MakeRopeTables(config, 2).cos[0], quotient, 1e-6);
}

TEST(RopeTest, AnglesKeepTheirBitsAtFarPositions) {
  DeepseekConfig config = V2Lite();
  const int position = 163839;
  const RopeTables tables = MakeRopeTables(config, position + 1);
  const std::size_t row = static_cast<std::size_t>(position) * 32;
  EXPECT_FLOAT_EQ(tables.cos[row], static_cast<float>(std::cos(163839.0)));
  EXPECT_FLOAT_EQ(tables.sin[row], static_cast<float>(std::sin(163839.0)));
}

ModelShape Llama31() {
  ModelShape shape;
  shape.rope_dim = 128;
  shape.rope_theta = 5e5;
  shape.llama3 = Llama3Scaling{8, 1, 4, 8192};
  return shape;
}

TEST(RopeTest, Llama3KeepsFastPairsStretchesSlowOnesAndBlendsBetween) {
  ModelShape plain = Llama31();
  plain.llama3.reset();
  const std::vector<double> before = RopeFrequencies(plain);
  const std::vector<double> after = RopeFrequencies(Llama31());
  for (std::size_t i = 0; i <= 28; ++i) EXPECT_EQ(after[i], before[i]) << i;
  for (std::size_t i = 35; i < 64; ++i) EXPECT_EQ(after[i], before[i] / 8) << i;
  EXPECT_NEAR(before[29], 0.002616099, 1e-9);
  EXPECT_NEAR(after[29], 0.002166571, 1e-9);
  EXPECT_NEAR(before[30], 0.002131120, 1e-9);
  EXPECT_NEAR(after[30], 0.001371894, 1e-9);
}

TEST(RopeTest, YarnWithoutMscalesPutsItsFactorOnCosinesAlone) {
  ModelShape shape;
  shape.rope_dim = 64;
  shape.yarn = YarnScaling{.factor = 4, .original_positions = 32768};
  EXPECT_FLOAT_EQ(MakeRopeTables(shape, 1).cos[0], static_cast<float>(0.1 * std::log(4.0) + 1));
  shape.yarn->attention_factor = 1.25;
  EXPECT_FLOAT_EQ(MakeRopeTables(shape, 1).cos[0], 1.25F);
}

}  // namespace
}  // namespace baton
