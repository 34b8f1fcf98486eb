#include "tests/kernels/backend_test.h"
#include "tests/kernels/mla_case.h"

namespace baton {
namespace {

using testing::MlaCase;
using testing::MlaDims;
using testing::PagedSequence;
using testing::Random;
using testing::RandomSequence;
using testing::Tensor;

class MlaDecodeTest : public testing::BackendTest {
 protected:
  static MlaDims RandomDims(Random& random) {
    return {.num_heads = random.Pick<int>({1, 2, 3, 5, 16}),
            .latent_dim = random.Pick<int>({8, 16, 40, 64, 512}),
            .rope_dim = random.Pick<int>({0, 4, 16, 64}),
            .tokens_per_page = random.Pick<int>({1, 4, 16, 64}),
            .activation = random.Pick(testing::StorageTypes()),
            .cache_dtype = random.Pick(testing::PageTypes())};
  }
};

TEST_P(MlaDecodeTest, RefusesLengthsThatCannotBe) {
  const MlaCase test({}, {{.identity = 1, .rows = 2, .length = 20}}, 1);
  Stream stream(1);
  Tensor output(DType::kBf16, test.rows() * test.row_elements());
  MlaDecodeParams params = test.Params(output);
  const std::int32_t too_short = 1;
  params.lengths = &too_short;
  EXPECT_EQ(backend_->mla_decode(params, stream).code(), absl::StatusCode::kInvalidArgument);
  const std::int32_t too_long = 1000;
  params.lengths = &too_long;
  EXPECT_EQ(backend_->mla_decode(params, stream).code(), absl::StatusCode::kInvalidArgument);
  params = test.Params(output);
  const std::vector<std::int32_t> hole{0, -1, -1, -1};
  params.block_table = hole.data();
  EXPECT_EQ(backend_->mla_decode(params, stream).code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(MlaDecodeTest, AgreesWithTheReferenceRowByRow) {
  Random random(10);
  for (std::uint32_t number = 0; number < 40; ++number) {
    SCOPED_TRACE(Where(static_cast<int>(number)));
    const MlaDims dims = RandomDims(random);
    std::vector<PagedSequence> sequences;
    const int count = random.Integer(0, 4);
    for (int s = 0; s < count; ++s) {
      sequences.push_back(RandomSequence(random, number * 8 + static_cast<std::uint32_t>(s)));
    }
    const MlaCase test(dims, sequences, number);
    const Tensor want = test.Run(ReferenceBackend());
    const Tensor got = test.Run(*backend_, random.Integer(1, 3));
    EXPECT_LE(WorstRow(got, want,
                       {.count = test.rows() * dims.num_heads,
                        .length = dims.latent_dim,
                        .stride = dims.latent_dim}),
              testing::Tolerance(dims.activation))
        << dims.num_heads << " heads, latent " << dims.latent_dim << ", rope " << dims.rope_dim
        << ", page " << dims.tokens_per_page << ", cache " << NameOf(dims.cache_dtype);
  }
}

TEST_P(MlaDecodeTest, OneVisibleTokenIsReturnedAsItStands) {
  const MlaDims dims{.num_heads = 3, .activation = DType::kF32, .cache_dtype = DType::kF32};
  const MlaCase test(dims, {{.identity = 5, .rows = 1, .length = 1}}, 1);
  Random keys(5 * 2 + 1);
  const Tensor output = test.Run(*backend_);
  for (int i = 0; i < dims.latent_dim; ++i) {
    const float value = keys.Normal();
    for (int head = 0; head < 3; ++head) EXPECT_EQ(output.Get(head * dims.latent_dim + i), value);
  }
}

TEST_P(MlaDecodeTest, RowsIgnoreTheirNeighbours) {
  Random random(11);
  for (std::uint32_t number = 0; number < 12; ++number) {
    SCOPED_TRACE(Where(static_cast<int>(number)));
    const MlaDims dims = RandomDims(random);
    const PagedSequence subject{.identity = 77, .rows = 1, .length = random.Integer(1, 200)};
    const MlaCase alone(dims, {subject}, 1);
    const Tensor want = alone.Run(*backend_);
    std::vector<PagedSequence> batch;
    const int before = random.Integer(0, 3);
    for (int s = 0; s < before; ++s) batch.push_back(RandomSequence(random, 100 + number));
    const auto place =
        std::int64_t{std::accumulate(batch.begin(), batch.end(), 0,
                                     [](int sum, const PagedSequence& s) { return sum + s.rows; })};
    batch.push_back(subject);
    batch.push_back(RandomSequence(random, 200 + number));
    const MlaCase crowd(dims, batch, number + 50);  // other pages, too
    const Tensor got = crowd.Run(*backend_, random.Integer(1, 4));
    EXPECT_TRUE(SameBits(got, place * crowd.row_elements(), want, 0, alone.row_elements()));
  }
}

TEST_P(MlaDecodeTest, ChunkBoundariesDoNotMatter) {
  Random random(12);
  for (std::uint32_t number = 0; number < 6; ++number) {
    SCOPED_TRACE(Where(static_cast<int>(number)));
    MlaDims dims = RandomDims(random);
    dims.latent_dim = std::min(dims.latent_dim, 64);
    const int length = random.Integer(2, 140);
    const MlaCase whole(dims, {{.identity = 9, .rows = length, .length = length}}, 1);
    const Tensor want = whole.Run(*backend_, 2);
    for (int end = 0; end < length;) {
      const int rows = std::min(random.Pick<int>({1, 2, 9, 64, 65}), length - end);
      end += rows;
      const MlaCase chunk(dims, {{.identity = 9, .rows = rows, .length = end}}, number + 7);
      const Tensor got = chunk.Run(*backend_, random.Integer(1, 4));
      ASSERT_TRUE(
          SameBits(want, (end - rows) * whole.row_elements(), got, 0, rows * whole.row_elements()))
          << "rows " << end - rows << " to " << end << " of " << length;
    }
  }
}

TEST_P(MlaDecodeTest, HowManyThreadsShareASequenceDoesNotMatter) {
  Random random(13);
  for (int number = 0; number < 8; ++number) {
    SCOPED_TRACE(Where(number));
    const MlaDims dims = RandomDims(random);
    const int length = random.Integer(1, 40 * dims.tokens_per_page);
    const int rows = std::min(length, random.Pick<int>({1, 1, 3, 7}));
    const MlaCase test(dims, {{.identity = 3, .rows = rows, .length = length}}, 1);
    const Tensor want = test.Run(*backend_, 1);
    for (int threads : {2, 3, 4}) {
      EXPECT_TRUE(SameBits(test.Run(*backend_, threads), 0, want, 0, want.count()))
          << rows << " rows of " << length << " tokens by " << threads << " threads";
    }
  }
}

TEST_P(MlaDecodeTest, PoisonedTailsDoNotMatter) {
  // Every case above runs over NaN tails and table ends that point nowhere; here is the one shape
  // where each tail is as long as it can be.
  const MlaDims dims{.num_heads = 2, .tokens_per_page = 64};
  const MlaCase test(dims, {{.identity = 1, .rows = 1, .length = 65}}, 3);
  const Tensor output = test.Run(*backend_);
  for (std::int64_t i = 0; i < output.count(); ++i) EXPECT_TRUE(std::isfinite(output.Get(i)));
}

TEST_P(MlaDecodeTest, LargeScoresNeitherOverflowNorVanish) {
  const MlaDims dims{.num_heads = 2, .activation = DType::kF32, .cache_dtype = DType::kF32};
  const MlaCase test(dims, {{.identity = 4, .rows = 3, .length = 100}}, 3);
  Tensor want(DType::kF32, test.rows() * test.row_elements());
  Tensor got = want;
  MlaDecodeParams params = test.Params(want);
  params.softmax_scale = 1000.0F;
  Stream stream(1);
  ASSERT_TRUE(ReferenceBackend().mla_decode(params, stream).ok());
  params.output = got.data();
  ASSERT_TRUE(backend_->mla_decode(params, stream).ok());
  EXPECT_LE(WorstRow(got, want, {.count = 6, .length = 32, .stride = 32}), 5e-3);
}

BATON_ON_EVERY_BACKEND(MlaDecodeTest);

}  // namespace
}  // namespace baton
