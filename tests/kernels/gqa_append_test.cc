#include <algorithm>
#include <cmath>

#include "kernels/common/fp8_page.h"
#include "tests/kernels/backend_test.h"

namespace baton {
namespace {

using testing::Random;
using testing::Tensor;

constexpr int kDim = 6;
constexpr int kHalf = kDim / 2;
constexpr int kHeads = 4;
constexpr int kKvHeads = 2;
constexpr int kTokensAPage = 4;
constexpr int kPlane = kTokensAPage * kDim;
constexpr std::int64_t kPageElements = 2 * kKvHeads * kPlane + 5;

class GqaAppendTest : public testing::BackendTest {
 protected:
  void SetUp() override {
    BackendTest::SetUp();
    for (int position = 0; position < 50; ++position) {
      for (int pair = 0; pair < kHalf; ++pair) {
        cos_.push_back(std::cos(static_cast<float>(position) / static_cast<float>(pair + 1)));
        sin_.push_back(std::sin(static_cast<float>(position) / static_cast<float>(pair + 1)));
      }
    }
  }

  GqaAppendParams Params() {
    return {.tokens = 3,
            .num_heads = kHeads,
            .kv_heads = kKvHeads,
            .head_dim = kDim,
            .tokens_per_page = kTokensAPage,
            .activation = DType::kF32,
            .weight_dtype = DType::kF32,
            .cache_dtype = DType::kF32,
            .q = q_.data(),
            .k = k_.data(),
            .v = v_.data(),
            .cos = cos_.data(),
            .sin = sin_.data(),
            .positions = positions_.data(),
            .slots = slots_.data(),
            .pages = pages_.data(),
            .page_stride_bytes = kPageElements * sizeof(float),
            .query = query_.data()};
  }

  void Run(const GqaAppendParams& params) {
    Stream stream(2);
    const absl::Status status = backend_->gqa_append(params, stream);
    ASSERT_TRUE(status.ok()) << status;
  }

  float Angle(int token, int pair) const {
    return static_cast<float>(positions_[static_cast<std::size_t>(token)]) /
           static_cast<float>(pair + 1);
  }

  // Where token 0 or 2 stands: page 5, place 3, or page 0, place 0.
  static std::int64_t RowOf(int token, int plane) {
    return token == 0 ? 5 * kPageElements + plane * kPlane + 3 * kDim : plane * kPlane;
  }

  // Expects `got`[at ...] to be `from`[from_at ...] times `scale` and `weight`, rotated.
  void ExpectRotated(const Tensor& got, std::int64_t at, const std::vector<double>& from,
                     int token) const {
    for (int pair = 0; pair < kHalf; ++pair) {
      const double cosine = std::cos(Angle(token, pair));
      const double sine = std::sin(Angle(token, pair));
      const double x = from[static_cast<std::size_t>(pair)];
      const double y = from[static_cast<std::size_t>(pair + kHalf)];
      EXPECT_NEAR(got.Get(at + pair), x * cosine - y * sine, 2e-6);
      EXPECT_NEAR(got.Get(at + pair + kHalf), x * sine + y * cosine, 2e-6);
    }
  }

  static std::vector<double> Vector(const Tensor& tensor, std::int64_t at) {
    std::vector<double> values;
    for (int i = 0; i < kDim; ++i) values.push_back(tensor.Get(at + i));
    return values;
  }

  static std::vector<double> Normalised(std::vector<double> values, const Tensor& weight) {
    double squares = 0;
    for (const double value : values) squares += value * value;
    const double scale = 1 / std::sqrt(squares / kDim + 1e-6);
    for (int i = 0; i < kDim; ++i) values[static_cast<std::size_t>(i)] *= scale * weight.Get(i);
    return values;
  }

  Random random_{90};
  Tensor q_ = Tensor::Normal(random_, DType::kF32, 3 * kHeads * kDim);
  Tensor k_ = Tensor::Normal(random_, DType::kF32, 3 * kKvHeads * kDim);
  Tensor v_ = Tensor::Normal(random_, DType::kF32, 3 * kKvHeads * kDim);
  Tensor q_weight_ = Tensor::Normal(random_, DType::kF32, kDim);
  Tensor k_weight_ = Tensor::Normal(random_, DType::kF32, kDim);
  Tensor pages_{DType::kF32, 8 * kPageElements};
  Tensor query_{DType::kF32, 3 * kHeads* kDim};
  std::vector<float> cos_;
  std::vector<float> sin_;
  std::vector<std::int32_t> positions_{7, 8, 49};
  std::vector<std::int64_t> slots_{5 * kTokensAPage + 3, -1, 0};
};

TEST_P(GqaAppendTest, RefusesShapesThatCannotBe) {
  Stream stream(1);
  GqaAppendParams params = Params();
  params.head_dim = 5;
  EXPECT_EQ(backend_->gqa_append(params, stream).code(), absl::StatusCode::kInvalidArgument);
  params = Params();
  params.kv_heads = 0;
  EXPECT_EQ(backend_->gqa_append(params, stream).code(), absl::StatusCode::kInvalidArgument);
  params = Params();
  params.weight_dtype = DType::kFp8E4m3;
  EXPECT_EQ(backend_->gqa_append(params, stream).code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(GqaAppendTest, RotatesHalvesOfKeysAndQueries) {
  Run(Params());
  for (int token : {0, 2}) {
    for (int head = 0; head < kKvHeads; ++head) {
      const std::int64_t from = (token * kKvHeads + head) * kDim;
      ExpectRotated(pages_, RowOf(token, head), Vector(k_, from), token);
    }
  }
  for (int vector = 0; vector < 3 * kHeads; ++vector) {
    ExpectRotated(query_, vector * kDim, Vector(q_, vector * kDim), vector / kHeads);
  }
}

TEST_P(GqaAppendTest, NormalisesEachHeadBeforeItRotates) {
  GqaAppendParams params = Params();
  params.q_weight = q_weight_.data();
  params.k_weight = k_weight_.data();
  Run(params);
  for (int head = 0; head < kKvHeads; ++head) {
    ExpectRotated(pages_, RowOf(0, head), Normalised(Vector(k_, head * kDim), k_weight_), 0);
  }
  for (int vector = 0; vector < 3 * kHeads; ++vector) {
    ExpectRotated(query_, vector * kDim, Normalised(Vector(q_, vector * kDim), q_weight_),
                  vector / kHeads);
  }
}

TEST_P(GqaAppendTest, ValuesStandBehindAllKeysAsTheyAre) {
  Run(Params());
  for (int token : {0, 2}) {
    for (int head = 0; head < kKvHeads; ++head) {
      for (int i = 0; i < kDim; ++i) {
        EXPECT_EQ(pages_.Get(RowOf(token, kKvHeads + head) + i),
                  v_.Get((token * kKvHeads + head) * kDim + i));
      }
    }
  }
}

TEST_P(GqaAppendTest, QueriesMayBeRotatedInPlace) {
  Run(Params());
  Tensor in_place = q_;
  GqaAppendParams params = Params();
  params.q = params.query = in_place.data();
  params.q_weight = q_weight_.data();
  Run(params);
  params.q = q_.data();
  params.query = query_.data();
  Run(params);
  EXPECT_EQ(in_place, query_);
}

TEST_P(GqaAppendTest, PagesOfFp8HoldTheSameToThreeBits) {
  Run(Params());
  const Fp8HeadPlane head{kTokensAPage, kDim};
  const std::size_t stride = 2 * kKvHeads * head.Bytes() + 5;
  std::vector<std::byte> pages(8 * stride, std::byte{0xff});
  GqaAppendParams params = Params();
  params.cache_dtype = DType::kFp8E4m3;
  params.pages = pages.data();
  params.page_stride_bytes = stride;
  Run(params);
  for (int token : {0, 2}) {
    for (int plane = 0; plane < 2 * kKvHeads; ++plane) {
      const std::vector<double> want = Vector(pages_, RowOf(token, plane));
      double largest = 0;
      for (const double value : want) largest = std::max(largest, std::abs(value));
      const std::byte* at = pages.data() + (token == 0 ? 5 * stride : 0) +
                            static_cast<std::size_t>(plane) * head.Bytes();
      for (int i = 0; i < kDim; ++i) {
        const double got = LoadFp8Head(head, at, token == 0 ? 3 : 0, i);
        EXPECT_NEAR(got, want[static_cast<std::size_t>(i)], largest / 28 + 1e-6);  // 16 of 448
      }
    }
  }
  std::size_t untouched = 0;
  for (const std::byte byte : pages) untouched += byte == std::byte{0xff};
  EXPECT_GE(untouched, pages.size() - 2 * 2 * kKvHeads * (kDim + sizeof(float)));
}

TEST_P(GqaAppendTest, TouchesNothingElse) {
  Run(Params());
  int written = 0;
  for (std::int64_t i = 0; i < pages_.count(); ++i) written += std::isnan(pages_.Get(i)) ? 0 : 1;
  EXPECT_EQ(written, 2 * 2 * kKvHeads * kDim);  // the token with slot -1 is nowhere
}

BATON_ON_EVERY_BACKEND(GqaAppendTest);

}  // namespace
}  // namespace baton
