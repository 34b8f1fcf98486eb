#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "kernels/common/fp8_page.h"
#include "kernels/common/page_address.h"
#include "kernels/common/philox.h"
#include "kernels/common/top_k.h"
#include "kvcache/kv_layout.h"
#include "tests/kernels/tensor.h"

namespace baton {
namespace {

using testing::Random;

// Source: Random123, kat_vectors, philox4x32 10.
TEST(PhiloxTest, GivesTheKnownAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}),
            (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(Philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(PhiloxTest, UnitIntervalNeverReachesOne) {
  EXPECT_EQ(UnitInterval(0), 0.0F);
  EXPECT_LT(UnitInterval(0xffffffff), 1.0F);
}

TEST(TopKTest, EqualValuesGoToTheLowestIndexAndNanLast) {
  const std::vector<float> values{2, std::nanf(""), 3, 3, 1, 3, -INFINITY};
  std::vector<RankedValue> best(values.size());
  TopK(values, best);
  const std::vector<int> want{2, 3, 5, 0, 4, 6, 1};
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_EQ(best[i].index, want[i]);
}

TEST(TopKTest, AgreesWithAFullSort) {
  Random random(30);
  for (int number = 0; number < 100; ++number) {
    std::vector<float> values(static_cast<std::size_t>(random.Integer(1, 60)));
    for (float& value : values) value = static_cast<float>(random.Integer(0, 9));
    std::vector<RankedValue> sorted;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sorted.push_back({values[i], static_cast<std::int32_t>(i)});
    }
    std::sort(sorted.begin(), sorted.end(), RanksBefore);
    std::vector<RankedValue> best(
        static_cast<std::size_t>(random.Integer(0, static_cast<int>(values.size()))));
    TopK(values, best);
    for (std::size_t i = 0; i < best.size(); ++i) ASSERT_EQ(best[i].index, sorted[i].index);
  }
}

TEST(Fp8PageTest, NarrowingPicksTheNearestCodeAndTheEvenOneOfTwo) {
  for (int code = 0; code < 0x7e; ++code) {
    const float low = E4m3ToFloat(static_cast<std::uint8_t>(code));
    const float high = E4m3ToFloat(static_cast<std::uint8_t>(code + 1));
    const float middle = (low + high) / 2;
    EXPECT_EQ(FloatToE4m3(low), code);
    EXPECT_EQ(FloatToE4m3(-low), code | 0x80);
    EXPECT_EQ(FloatToE4m3(std::nextafter(middle, 0.0F)), code);
    EXPECT_EQ(FloatToE4m3(std::nextafter(middle, 500.0F)), code + 1);
    EXPECT_EQ(FloatToE4m3(middle), code % 2 == 0 ? code : code + 1);
  }
  EXPECT_EQ(FloatToE4m3(448.0F), 0x7e);
  EXPECT_EQ(FloatToE4m3(1e30F), 0x7e);
  EXPECT_EQ(FloatToE4m3(std::numeric_limits<float>::quiet_NaN()) & 0x7f, 0x7f);
}

TEST(Fp8PageTest, ABlockOfZerosIsZerosAndOneWithDamageIsAllNaN) {
  std::byte codes[3];
  std::byte scale[4];
  const float zeros[3] = {0, -0.0F, 1e-45F};
  QuantizeFp8Block(zeros, 3, codes, scale);
  for (const std::byte code : codes) EXPECT_EQ(WidenFp8(code, scale), 0.0F);
  const float damaged[3] = {1, std::numeric_limits<float>::infinity(), 2};
  QuantizeFp8Block(damaged, 3, codes, scale);
  for (const std::byte code : codes) EXPECT_TRUE(std::isnan(WidenFp8(code, scale)));
}

TEST(PageGeometryTest, AgreesWithKvLayout) {
  const KvLayout layout{.num_layers = 27, .latent_dim = 512, .rope_dim = 64};
  const PageGeometry geometry{.tokens_per_page = layout.tokens_per_page,
                              .page_stride_bytes = layout.PageBytes(),
                              .token_bytes = layout.TokenBytes()};
  for (std::uint32_t page : {0U, 1U, 2158U, 1'000'000U}) {
    const auto slot = std::int64_t{page} * 64 + 63;
    EXPECT_EQ(geometry.OffsetOfSlot(slot),
              layout.OffsetOf(PageId{page}, 0) + 63 * layout.TokenBytes());
  }
}

TEST(PageGeometryTest, DoesNotWrapAtTwoToTheFortieth) {
  constexpr PageGeometry kGeometry{
      .tokens_per_page = 64, .page_stride_bytes = std::size_t{1} << 21, .token_bytes = 1152};
  static_assert(kGeometry.OffsetOf(std::int64_t{1} << 31, 1) == (std::size_t{1} << 52) + 1152);
}

}  // namespace
}  // namespace baton
