// What is promised across levels: which exist, and that their bits are equal.
#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/level.h"
#include "tests/kernels/backend_test.h"
#include "tests/kernels/gqa_case.h"
#include "tests/kernels/mla_case.h"

namespace baton {
namespace {

using testing::Random;
using testing::Tensor;

TEST(CpuBackendTest, UnknownLevelsAreNull) {
  EXPECT_EQ(CpuBackend("sse2"), nullptr);
  EXPECT_EQ(CpuBackend(""), nullptr);
}

TEST(CpuBackendTest, AutoTakesTheBestThatThisMachineHas) {
  const std::string best = HasAvx512Bf16() ? "avx512_bf16"
                           : HasAvx512()   ? "avx512"
                           : HasAvx2()     ? "avx2"
                                           : "reference";
  EXPECT_EQ(CpuBackend("auto"), CpuBackend(best));
  EXPECT_EQ(CpuBackend("auto")->isa, best);
  EXPECT_EQ(CpuBackend("reference"), &ReferenceBackend());
}

class LevelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (CpuBackend("avx512") == nullptr) GTEST_SKIP() << "this machine has no avx512 to compare";
  }
  const Backend* narrow_ = CpuBackend("avx2");
  const Backend* wide_ = CpuBackend("avx512");
};

TEST_F(LevelsTest, ProductsHaveEqualBits) {
  Random random(70);
  const Tensor a = Tensor::Normal(random, DType::kBf16, 19 * 300);
  const Tensor b = Tensor::Normal(random, DType::kBf16, 77 * 300);
  Tensor narrow(DType::kF32, 19 * 77);
  Tensor wide = narrow;
  GemmParams params{.m = 19,
                    .n = 77,
                    .k = 300,
                    .c_dtype = DType::kF32,
                    .a = a.data(),
                    .b = b.data(),
                    .c = narrow.data()};
  Stream stream(1);
  ASSERT_TRUE(narrow_->gemm(params, stream).ok());
  params.c = wide.data();
  ASSERT_TRUE(wide_->gemm(params, stream).ok());
  EXPECT_TRUE(SameBits(narrow, 0, wide, 0, narrow.count()));
}

TEST_F(LevelsTest, AttentionHasEqualBits) {
  const testing::MlaDims dims{.num_heads = 7, .latent_dim = 72, .activation = DType::kF32};
  const testing::MlaCase test(dims, {{.identity = 3, .rows = 30, .length = 130}}, 1);
  const Tensor narrow = test.Run(*narrow_, 2);
  const Tensor wide = test.Run(*wide_, 3);
  EXPECT_TRUE(SameBits(narrow, 0, wide, 0, narrow.count()));
}

TEST_F(LevelsTest, GroupedAttentionHasEqualBits) {
  const testing::GqaDims dims{.group = 7, .kv_heads = 2, .head_dim = 72, .activation = DType::kF32};
  const testing::GqaCase test(dims, {{.identity = 3, .rows = 30, .length = 130}}, 1);
  const Tensor narrow = test.Run(*narrow_, 2);
  const Tensor wide = test.Run(*wide_, 3);
  EXPECT_TRUE(SameBits(narrow, 0, wide, 0, narrow.count()));
}

// Rounding to storage must be the same by vectors as by bits, NaN and subnormals included.
TEST(LevelLeavesTest, ConversionsAgreeWithTheBits) {
  Random random(71);
  std::vector<float> values;
  for (int i = 0; i < 5000; ++i) {
    values.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random.engine()())));
  }
  for (const char* isa : {"avx2", "avx512"}) {
    if (CpuBackend(isa) == nullptr) continue;
    const CpuLevel& level = std::string(isa) == "avx2" ? kAvx2Level : kAvx512Level;
    std::vector<std::uint16_t> narrow(values.size());
    level.narrow(values.data(), narrow.data(), DType::kBf16, static_cast<int>(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(narrow[i], FloatToBf16(values[i])) << isa << " " << values[i];
    }
    level.narrow(values.data(), narrow.data(), DType::kF16, static_cast<int>(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(narrow[i], FloatToHalf(values[i])) << isa << " " << values[i];
    }
    std::vector<std::uint16_t> halves(0x7c00);  // every finite fp16 >= 0
    std::vector<float> wide(halves.size());
    for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
    level.widen(halves.data(), DType::kF16, wide.data(), static_cast<int>(halves.size()));
    for (std::size_t i = 0; i < halves.size(); ++i) ASSERT_EQ(wide[i], HalfToFloat(halves[i]));
  }
}

}  // namespace
}  // namespace baton
