// The operations that work on one row at a time: embed, rms_norm, silu_mul.
#include <cmath>

#include "tests/kernels/backend_test.h"

namespace baton {
namespace {

using testing::Random;
using testing::Tensor;

class EmbedTest : public testing::BackendTest {};
class RmsNormTest : public testing::BackendTest {};
class SiluMulTest : public testing::BackendTest {};

TEST_P(EmbedTest, CopiesTheRowsThatIdsName) {
  Random random(20);
  const Tensor table = Tensor::Normal(random, DType::kF16, 7 * 5);
  const std::vector<std::int32_t> ids{6, 0, 6};
  Tensor out(DType::kF32, 3 * 5);
  Stream stream(2);
  ASSERT_TRUE(backend_
                  ->embed({.tokens = 3,
                           .hidden = 5,
                           .table_dtype = DType::kF16,
                           .activation = DType::kF32,
                           .ids = ids.data(),
                           .table = table.data(),
                           .out = out.data()},
                          stream)
                  .ok());
  for (int t = 0; t < 3; ++t) {
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(out.Get(t * 5 + i), table.Get(ids[static_cast<std::size_t>(t)] * 5 + i));
    }
  }
}

TEST_P(EmbedTest, RefusesTypesThatItDoesNotWrite) {
  Stream stream(1);
  EXPECT_EQ(
      backend_->embed({.tokens = 1, .hidden = 5, .activation = DType::kFp8E4m3}, stream).code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_P(RmsNormTest, AddsThenNormalises) {
  // Residual 1, 2 plus x 2, 2 is 3, 4: mean square 12.5.
  Tensor x(DType::kF32, 2);
  Tensor residual(DType::kF32, 2);
  Tensor weight(DType::kF32, 2);
  for (int i = 0; i < 2; ++i) {
    x.Set(i, 2);
    residual.Set(i, static_cast<float>(1 + i));
    weight.Set(i, static_cast<float>(10 + i));
  }
  Tensor out(DType::kF32, 2);
  Stream stream(1);
  ASSERT_TRUE(backend_
                  ->rms_norm({.rows = 1,
                              .dim = 2,
                              .epsilon = 0,
                              .activation = DType::kF32,
                              .weight_dtype = DType::kF32,
                              .x = x.data(),
                              .residual = residual.data(),
                              .weight = weight.data(),
                              .out = out.data()},
                             stream)
                  .ok());
  EXPECT_EQ(residual.Get(0), 3);
  EXPECT_EQ(residual.Get(1), 4);
  EXPECT_FLOAT_EQ(out.Get(0), static_cast<float>(10 * 3 / std::sqrt(12.5)));
  EXPECT_FLOAT_EQ(out.Get(1), static_cast<float>(11 * 4 / std::sqrt(12.5)));
}

TEST_P(RmsNormTest, WithoutAnInputTheResidualIsOnlyRead) {
  Random random(21);
  Tensor residual = Tensor::Normal(random, DType::kBf16, 3 * 20);
  const Tensor before = residual;
  const Tensor weight = Tensor::Normal(random, DType::kBf16, 16);
  Tensor out(DType::kBf16, 3 * 18);
  Stream stream(3);
  ASSERT_TRUE(backend_
                  ->rms_norm({.rows = 3,
                              .dim = 16,
                              .residual = residual.data(),
                              .weight = weight.data(),
                              .out = out.data(),
                              .residual_stride = 20,
                              .out_stride = 18},
                             stream)
                  .ok());
  EXPECT_EQ(residual, before);
  EXPECT_TRUE(std::isfinite(out.Get(15)));
  EXPECT_TRUE(std::isnan(out.Get(16)));  // between rows
}

TEST_P(SiluMulTest, AgreesWithTheFormulaAtEveryPlace) {
  Random random(22);
  for (int inter : {1, 5, 16, 37, 200}) {
    SCOPED_TRACE(Where(inter));
    const DType type = random.Pick(testing::StorageTypes());
    Tensor gate_up = Tensor::Normal(random, type, 3 * 2 * inter, 4.0F);
    gate_up.Set(0, -200.0F);  // silu of far below: 0, not NaN
    Tensor out(type, 3 * inter);
    Stream stream(2);
    ASSERT_TRUE(backend_
                    ->silu_mul({.tokens = 3,
                                .inter = inter,
                                .activation = type,
                                .gate_up = gate_up.data(),
                                .out = out.data()},
                               stream)
                    .ok());
    for (int t = 0; t < 3; ++t) {
      for (int i = 0; i < inter; ++i) {
        const double gate = gate_up.Get(t * 2 * inter + i);
        const double want = gate / (1 + std::exp(-gate)) * gate_up.Get((t * 2 + 1) * inter + i);
        EXPECT_NEAR(out.Get(t * inter + i), want,
                    (std::abs(want) + 1e-4) * (type == DType::kF32 ? 1e-6 : 5e-3));
      }
    }
  }
}

TEST_P(SiluMulTest, AValueIgnoresItsPlaceInTheRow) {
  // 33 equal values: whole vectors and a tail must give the same bits.
  Tensor gate_up(DType::kF32, 2 * 33);
  for (int i = 0; i < 66; ++i) gate_up.Set(i, 1.2345F);
  Tensor out(DType::kF32, 33);
  Stream stream(1);
  ASSERT_TRUE(backend_
                  ->silu_mul({.tokens = 1,
                              .inter = 33,
                              .activation = DType::kF32,
                              .gate_up = gate_up.data(),
                              .out = out.data()},
                             stream)
                  .ok());
  for (int i = 1; i < 33; ++i) EXPECT_EQ(out.Get(i), out.Get(0));
}

BATON_ON_EVERY_BACKEND(EmbedTest);
BATON_ON_EVERY_BACKEND(RmsNormTest);
BATON_ON_EVERY_BACKEND(SiluMulTest);

}  // namespace
}  // namespace baton
