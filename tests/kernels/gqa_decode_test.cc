#include "tests/kernels/backend_test.h"
#include "tests/kernels/gqa_case.h"

namespace baton {
namespace {

using testing::GqaCase;
using testing::GqaDims;
using testing::PagedSequence;
using testing::Random;
using testing::RandomSequence;
using testing::Tensor;

class GqaDecodeTest : public testing::BackendTest {
 protected:
  static GqaDims RandomDims(Random& random) {
    return {.group = random.Pick<int>({1, 2, 3, 7, 8}),
            .kv_heads = random.Pick<int>({1, 2, 3, 8}),
            .head_dim = random.Pick<int>({8, 16, 48, 64, 72, 80, 96, 128, 256}),
            .tokens_per_page = random.Pick<int>({1, 4, 16, 64}),
            .activation = random.Pick(testing::StorageTypes()),
            .cache_dtype = random.Pick(testing::PageTypes())};
  }
};

TEST_P(GqaDecodeTest, RefusesLengthsThatCannotBe) {
  const GqaCase test({}, {{.identity = 1, .rows = 2, .length = 20}}, 1);
  Stream stream(1);
  Tensor output(DType::kBf16, test.rows() * test.row_elements());
  GqaDecodeParams params = test.Params(output);
  const std::int32_t too_short = 1;
  params.lengths = &too_short;
  EXPECT_EQ(backend_->gqa_decode(params, stream).code(), absl::StatusCode::kInvalidArgument);
  const std::int32_t too_long = 1000;
  params.lengths = &too_long;
  EXPECT_EQ(backend_->gqa_decode(params, stream).code(), absl::StatusCode::kInvalidArgument);
  params = test.Params(output);
  params.num_heads = 3;
  params.kv_heads = 2;
  EXPECT_EQ(backend_->gqa_decode(params, stream).code(), absl::StatusCode::kInvalidArgument);
  params = test.Params(output);
  const std::vector<std::int32_t> hole{0, -1, -1, -1};
  params.block_table = hole.data();
  EXPECT_EQ(backend_->gqa_decode(params, stream).code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(GqaDecodeTest, AgreesWithTheReferenceRowByRow) {
  Random random(80);
  for (std::uint32_t number = 0; number < 40; ++number) {
    SCOPED_TRACE(Where(static_cast<int>(number)));
    const GqaDims dims = RandomDims(random);
    std::vector<PagedSequence> sequences;
    const int count = random.Integer(0, 4);
    for (int s = 0; s < count; ++s) {
      sequences.push_back(RandomSequence(random, number * 8 + static_cast<std::uint32_t>(s)));
    }
    const GqaCase test(dims, sequences, number);
    const Tensor want = test.Run(ReferenceBackend());
    const Tensor got = test.Run(*backend_, random.Integer(1, 3));
    EXPECT_LE(WorstRow(got, want,
                       {.count = test.rows() * dims.num_heads(),
                        .length = dims.head_dim,
                        .stride = dims.head_dim}),
              testing::Tolerance(dims.activation))
        << dims.group << " x " << dims.kv_heads << " heads of " << dims.head_dim << ", page "
        << dims.tokens_per_page << ", cache " << NameOf(dims.cache_dtype);
  }
}

TEST_P(GqaDecodeTest, EveryQueryHeadReadsTheValuesOfItsOwnGroup) {
  const GqaDims dims{
      .group = 3, .kv_heads = 2, .activation = DType::kF32, .cache_dtype = DType::kF32};
  const GqaCase test(dims, {{.identity = 5, .rows = 1, .length = 1}}, 1);
  Random planes(5 * 2 + 1);
  for (int i = 0; i < dims.kv_heads * dims.head_dim; ++i) planes.Normal();  // the keys
  const Tensor output = test.Run(*backend_);
  for (int kv_head = 0; kv_head < dims.kv_heads; ++kv_head) {
    for (int i = 0; i < dims.head_dim; ++i) {
      const float value = planes.Normal();
      for (int head = kv_head * dims.group; head < (kv_head + 1) * dims.group; ++head) {
        EXPECT_EQ(output.Get(head * dims.head_dim + i), value) << "head " << head;
      }
    }
  }
}

TEST_P(GqaDecodeTest, RowsIgnoreTheirNeighbours) {
  Random random(81);
  for (std::uint32_t number = 0; number < 12; ++number) {
    SCOPED_TRACE(Where(static_cast<int>(number)));
    const GqaDims dims = RandomDims(random);
    const PagedSequence subject{.identity = 77, .rows = 1, .length = random.Integer(1, 200)};
    const GqaCase alone(dims, {subject}, 1);
    const Tensor want = alone.Run(*backend_);
    std::vector<PagedSequence> batch;
    const int before = random.Integer(0, 3);
    for (int s = 0; s < before; ++s) batch.push_back(RandomSequence(random, 100 + number));
    const auto place =
        std::int64_t{std::accumulate(batch.begin(), batch.end(), 0,
                                     [](int sum, const PagedSequence& s) { return sum + s.rows; })};
    batch.push_back(subject);
    batch.push_back(RandomSequence(random, 200 + number));
    const GqaCase crowd(dims, batch, number + 50);  // other pages, too
    const Tensor got = crowd.Run(*backend_, random.Integer(1, 4));
    EXPECT_TRUE(SameBits(got, place * crowd.row_elements(), want, 0, alone.row_elements()));
  }
}

TEST_P(GqaDecodeTest, ChunkBoundariesDoNotMatter) {
  Random random(82);
  for (std::uint32_t number = 0; number < 6; ++number) {
    SCOPED_TRACE(Where(static_cast<int>(number)));
    GqaDims dims = RandomDims(random);
    dims.head_dim = std::min(dims.head_dim, 64);
    const int length = random.Integer(2, 140);
    const GqaCase whole(dims, {{.identity = 9, .rows = length, .length = length}}, 1);
    const Tensor want = whole.Run(*backend_, 2);
    for (int end = 0; end < length;) {
      const int rows = std::min(random.Pick<int>({1, 2, 9, 64, 65}), length - end);
      end += rows;
      const GqaCase chunk(dims, {{.identity = 9, .rows = rows, .length = end}}, number + 7);
      const Tensor got = chunk.Run(*backend_, random.Integer(1, 4));
      ASSERT_TRUE(
          SameBits(want, (end - rows) * whole.row_elements(), got, 0, rows * whole.row_elements()))
          << "rows " << end - rows << " to " << end << " of " << length;
    }
  }
}

TEST_P(GqaDecodeTest, PoisonedTailsDoNotMatter) {
  // Every case above runs over NaN tails and table ends that point nowhere; here is the one shape
  // where each tail is as long as it can be.
  const GqaDims dims{.group = 2, .kv_heads = 2, .tokens_per_page = 64};
  const GqaCase test(dims, {{.identity = 1, .rows = 1, .length = 65}}, 3);
  const Tensor output = test.Run(*backend_);
  for (std::int64_t i = 0; i < output.count(); ++i) EXPECT_TRUE(std::isfinite(output.Get(i)));
}

TEST_P(GqaDecodeTest, LargeScoresNeitherOverflowNorVanish) {
  const GqaDims dims{.group = 2, .activation = DType::kF32, .cache_dtype = DType::kF32};
  const GqaCase test(dims, {{.identity = 4, .rows = 3, .length = 100}}, 3);
  Tensor want(DType::kF32, test.rows() * test.row_elements());
  Tensor got = want;
  GqaDecodeParams params = test.Params(want);
  params.softmax_scale = 1000.0F;
  Stream stream(1);
  ASSERT_TRUE(ReferenceBackend().gqa_decode(params, stream).ok());
  params.output = got.data();
  ASSERT_TRUE(backend_->gqa_decode(params, stream).ok());
  EXPECT_LE(WorstRow(got, want, {.count = 6, .length = 32, .stride = 32}), 5e-3);
}

BATON_ON_EVERY_BACKEND(GqaDecodeTest);

}  // namespace
}  // namespace baton
