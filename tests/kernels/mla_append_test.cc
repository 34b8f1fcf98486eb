#include <algorithm>
#include <cmath>

#include "kernels/common/fp8_page.h"
#include "tests/kernels/backend_test.h"

namespace baton {
namespace {

using testing::Random;
using testing::Tensor;

constexpr int kLatent = 6;
constexpr int kRope = 4;
constexpr int kRow = kLatent + kRope;
constexpr int kNope = 3;
constexpr int kHeads = 2;
constexpr int kTokensAPage = 4;

class MlaAppendTest : public testing::BackendTest {
 protected:
  void SetUp() override {
    BackendTest::SetUp();
    for (int position = 0; position < 50; ++position) {
      for (int pair = 0; pair < kRope / 2; ++pair) {
        cos_.push_back(std::cos(static_cast<float>(position) / static_cast<float>(pair + 1)));
        sin_.push_back(std::sin(static_cast<float>(position) / static_cast<float>(pair + 1)));
      }
    }
  }

  MlaAppendParams Params() {
    return {.tokens = 3,
            .num_heads = kHeads,
            .nope_dim = kNope,
            .rope_dim = kRope,
            .latent_dim = kLatent,
            .tokens_per_page = kTokensAPage,
            .activation = DType::kF32,
            .weight_dtype = DType::kF32,
            .cache_dtype = DType::kF32,
            .kv = kv_.data(),
            .q = q_.data(),
            .latent_weight = weight_.data(),
            .cos = cos_.data(),
            .sin = sin_.data(),
            .positions = positions_.data(),
            .slots = slots_.data(),
            .pages = pages_.data(),
            .page_stride_bytes = kPageElements * sizeof(float),
            .query = query_.data()};
  }

  void Run() {
    Stream stream(2);
    ASSERT_TRUE(backend_->mla_append(Params(), stream).ok());
  }

  float Angle(int token, int pair) const {
    return static_cast<float>(positions_[static_cast<std::size_t>(token)]) /
           static_cast<float>(pair + 1);
  }

  static constexpr int kPageElements = kTokensAPage * kRow + 5;
  Random random_{40};
  Tensor kv_ = Tensor::Normal(random_, DType::kF32, 3 * kRow);
  Tensor q_ = Tensor::Normal(random_, DType::kF32, 3 * kHeads * (kNope + kRope));
  Tensor weight_ = Tensor::Normal(random_, DType::kF32, kLatent);
  Tensor pages_{DType::kF32, 8 * kPageElements};
  Tensor query_{DType::kF32, 3 * kHeads* kRow};
  std::vector<float> cos_;
  std::vector<float> sin_;
  std::vector<std::int32_t> positions_{7, 8, 49};
  std::vector<std::int64_t> slots_{5 * kTokensAPage + 3, -1, 0};
};

TEST_P(MlaAppendTest, WritesTheNormalisedLatentWhereTheSlotSays) {
  Run();
  for (int token : {0, 2}) {
    const std::int64_t row = token == 0 ? 5 * kPageElements + 3 * kRow : 0;
    double squares = 0;
    for (int i = 0; i < kLatent; ++i) squares += std::pow(kv_.Get(token * kRow + i), 2);
    const double scale = 1 / std::sqrt(squares / kLatent + 1e-6);
    for (int i = 0; i < kLatent; ++i) {
      EXPECT_NEAR(pages_.Get(row + i), kv_.Get(token * kRow + i) * scale * weight_.Get(i), 1e-6);
    }
  }
}

TEST_P(MlaAppendTest, RotatesInterleavedPairsOfKeysAndQueries) {
  Run();
  for (int pair = 0; pair < kRope / 2; ++pair) {
    const float cosine = std::cos(Angle(0, pair));
    const float sine = std::sin(Angle(0, pair));
    const std::int64_t key = 5 * kPageElements + 3 * kRow + kLatent + 2 * pair;
    const float x = kv_.Get(kLatent + 2 * pair);
    const float y = kv_.Get(kLatent + 2 * pair + 1);
    EXPECT_NEAR(pages_.Get(key), x * cosine - y * sine, 1e-6);
    EXPECT_NEAR(pages_.Get(key + 1), x * sine + y * cosine, 1e-6);
    const std::int64_t from = (kNope + kRope) + kNope + 2 * pair;  // head 1 of token 0
    const std::int64_t to = kRow + kLatent + 2 * pair;
    EXPECT_NEAR(query_.Get(to), q_.Get(from) * cosine - q_.Get(from + 1) * sine, 1e-6);
    EXPECT_NEAR(query_.Get(to + 1), q_.Get(from) * sine + q_.Get(from + 1) * cosine, 1e-6);
  }
}

TEST_P(MlaAppendTest, PagesOfFp8HoldTheSameToThreeBits) {
  Run();
  const Fp8LatentPage page{kTokensAPage, kLatent, kRope};
  const std::size_t stride = page.ScaleOffset() + kTokensAPage * page.ScaleBytes() + 5;
  std::vector<std::byte> pages(8 * stride, std::byte{0xff});
  MlaAppendParams params = Params();
  params.cache_dtype = DType::kFp8E4m3;
  params.pages = pages.data();
  params.page_stride_bytes = stride;
  Stream stream(2);
  ASSERT_TRUE(backend_->mla_append(params, stream).ok());
  for (int token : {0, 2}) {
    const std::int64_t row = token == 0 ? 5 * kPageElements + 3 * kRow : 0;
    const std::byte* layer = pages.data() + (token == 0 ? 5 * stride : 0);
    float largest = 0;
    for (int i = 0; i < kLatent; ++i) largest = std::max(largest, std::abs(pages_.Get(row + i)));
    for (int i = 0; i < kRow; ++i) {
      const float want = pages_.Get(row + i);
      const float got = LoadFp8Latent(page, layer, token == 0 ? 3 : 0, i);
      EXPECT_NEAR(got, want, i < kLatent ? largest / 28 : std::abs(want) / 256) << i;
    }
  }
}

TEST_P(MlaAppendTest, TouchesNothingElse) {
  Run();
  int written = 0;
  for (std::int64_t i = 0; i < pages_.count(); ++i) written += std::isnan(pages_.Get(i)) ? 0 : 1;
  EXPECT_EQ(written, 2 * kRow);  // the token with slot -1 is nowhere
  for (int vector = 0; vector < 3 * kHeads; ++vector) {
    for (int i = 0; i < kLatent; ++i) EXPECT_TRUE(std::isnan(query_.Get(vector * kRow + i)));
    for (int i = kLatent; i < kRow; ++i) EXPECT_FALSE(std::isnan(query_.Get(vector * kRow + i)));
  }
}

BATON_ON_EVERY_BACKEND(MlaAppendTest);

}  // namespace
}  // namespace baton
