#include "kernels/common/float_bits.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "kernels/common/elements.h"

namespace baton {
namespace {

TEST(FloatBitsTest, EveryBf16SurvivesTheWayThereAndBack) {
  for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = Bf16ToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(Bf16ToFloat(FloatToBf16(value))));
    } else {
      EXPECT_EQ(FloatToBf16(value), half);
    }
  }
}

TEST(FloatBitsTest, EveryFp16SurvivesTheWayThereAndBack) {
  for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = HalfToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(value))));
    } else {
      EXPECT_EQ(FloatToHalf(value), half) << bits;
    }
  }
}

TEST(FloatBitsTest, TiesGoToEven) {
  // bf16 has 7 bits of fraction: 1 + 2^-8 lies half way between 1 and 1 + 2^-7.
  EXPECT_EQ(RoundTo(DType::kBf16, 1.0F + 0x1p-8F), 1.0F);
  EXPECT_EQ(RoundTo(DType::kBf16, 1.0F + 0x1.8p-7F), 1.0F + 0x1p-6F);
  EXPECT_EQ(RoundTo(DType::kBf16, 1.0F + 0x1.0002p-8F), 1.0F + 0x1p-7F);
  // fp16 has 10.
  EXPECT_EQ(RoundTo(DType::kF16, 1.0F + 0x1p-11F), 1.0F);
  EXPECT_EQ(RoundTo(DType::kF16, 1.0F + 0x1.8p-10F), 1.0F + 0x1p-9F);
  EXPECT_EQ(RoundTo(DType::kF16, 0x1p-25F), 0.0F);        // half of the least subnormal
  EXPECT_EQ(RoundTo(DType::kF16, 0x1.8p-24F), 0x1p-23F);  // between the first two
}

TEST(FloatBitsTest, OverflowBecomesInfinityAndSignsStay) {
  EXPECT_EQ(HalfToFloat(FloatToHalf(65504.0F)), 65504.0F);
  EXPECT_EQ(HalfToFloat(FloatToHalf(65520.0F)), std::numeric_limits<float>::infinity());
  EXPECT_EQ(Bf16ToFloat(FloatToBf16(-std::numeric_limits<float>::max())),
            -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::signbit(HalfToFloat(FloatToHalf(-0.0F))));
  EXPECT_TRUE(std::signbit(Bf16ToFloat(FloatToBf16(-0.0F))));
}

}  // namespace
}  // namespace baton
