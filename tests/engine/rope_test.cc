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

}  // namespace
}  // namespace baton
