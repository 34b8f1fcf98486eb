#include <string>

#include "absl/strings/str_format.h"
#include "tests/kernels/backend_test.h"

namespace baton {
namespace {

using testing::BackendTest;
using testing::Random;
using testing::Tensor;

struct Shape {
  int m = 1;
  int n = 1;
  int k = 1;
  int batch = 1;
};

// Owns what a product reads; rows lie further apart than they are long.
struct GemmCase {
  GemmCase(Random& random, const Shape& s, DType a_type, DType b_type, DType c_type)
      : shape(s),
        a(Tensor::Normal(random, a_type, std::int64_t{s.batch} * s.m * (s.k + 3))),
        b(Tensor::Normal(random, b_type, std::int64_t{s.batch} * s.n * (s.k + 5))),
        bias(Tensor::Normal(random, b_type, s.n)),
        c_dtype(c_type) {
    PoisonGaps(a, s.k, s.k + 3);
    PoisonGaps(b, s.k, s.k + 5);
  }

  static void PoisonGaps(Tensor& tensor, int used, int stride) {
    for (std::int64_t i = 0; i < tensor.count(); ++i) {
      if (i % stride >= used) tensor.Set(i, std::numeric_limits<float>::quiet_NaN());
    }
  }

  GemmParams Params(Tensor& c) const {
    const std::int64_t a_stride = shape.k + 3;
    const std::int64_t b_stride = shape.k + 5;
    const std::int64_t c_stride = shape.n + 2;
    return {.m = shape.m,
            .n = shape.n,
            .k = shape.k,
            .batch = shape.batch,
            .a_dtype = a.type(),
            .b_dtype = b.type(),
            .c_dtype = c_dtype,
            .a = a.data(),
            .b = b.data(),
            .bias = with_bias ? bias.data() : nullptr,
            .c = c.data(),
            .a_row_stride = a_stride,
            .a_batch_stride = shape.m * a_stride,
            .b_row_stride = b_stride,
            .b_batch_stride = shape.n * b_stride,
            .c_row_stride = c_stride,
            .c_batch_stride = shape.m * c_stride};
  }

  Tensor Run(const Backend& backend, int threads = 1) const {
    Tensor c(c_dtype, std::int64_t{shape.batch} * shape.m * (shape.n + 2));
    testing::PoisonedStream stream(threads);
    EXPECT_TRUE(backend.gemm(Params(c), stream).ok());
    return c;
  }

  Shape shape;
  Tensor a;
  Tensor b;
  Tensor bias;
  DType c_dtype;
  bool with_bias = true;
};

class GemmTest : public BackendTest {
 protected:
  static std::string Words(const Shape& s) {
    return absl::StrFormat("m %d n %d k %d batch %d", s.m, s.n, s.k, s.batch);
  }

  // Each element, against the size that a sum of k products has.
  static bool AllNear(const Tensor& got, const Tensor& want, const GemmCase& test) {
    const Shape& s = test.shape;
    for (std::int64_t i = 0; i < got.count(); ++i) {
      if (i % (s.n + 2) >= s.n) continue;
      const double size = std::abs(double{want.Get(i)}) + std::sqrt(s.k);
      const double bound = testing::Tolerance(test.c_dtype) * size;
      if (!(std::abs(double{got.Get(i)} - double{want.Get(i)}) <= bound)) return false;
    }
    return true;
  }
};

TEST_P(GemmTest, RefusesShapesThatMakeNoSense) {
  Stream stream(1);
  GemmParams params{.m = 1, .n = 4, .k = 0};
  EXPECT_EQ(backend_->gemm(params, stream).code(), absl::StatusCode::kInvalidArgument);
  params = {.m = 1, .n = 4, .k = 4, .a_row_stride = 3};
  EXPECT_EQ(backend_->gemm(params, stream).code(), absl::StatusCode::kInvalidArgument);
  params = {.m = 1, .n = 4, .k = 4, .b_dtype = DType::kFp8E4m3};
  EXPECT_EQ(backend_->gemm(params, stream).code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(GemmTest, NoRowsIsNoWork) {
  Stream stream(2);
  EXPECT_TRUE(backend_->gemm({.m = 0, .n = 4, .k = 4}, stream).ok());
}

TEST_P(GemmTest, AgreesWithTheReferenceRowByRow) {
  Random random(1);
  for (int number = 0; number < 40; ++number) {
    SCOPED_TRACE(Where(number));
    const Shape shape{.m = random.Pick<int>({1, 2, 3, 5, 8, 13, 16, 31, 64}),
                      .n = random.Integer(1, 100),
                      .k = random.Pick<int>({1, 7, 16, 31, 64, 127, 128, 129, 300}),
                      .batch = random.Integer(1, 3)};
    GemmCase test(random, shape, random.Pick(testing::StorageTypes()),
                  random.Pick(testing::StorageTypes()), random.Pick(testing::StorageTypes()));
    test.with_bias = number % 2 == 0;
    const Tensor want = test.Run(ReferenceBackend());
    const Tensor got = test.Run(*backend_);
    EXPECT_TRUE(AllNear(got, want, test)) << Words(shape);
    if (shape.n < 8) continue;  // a short row may cancel to nearly nothing
    const std::int64_t rows = std::int64_t{shape.batch} * shape.m;
    EXPECT_LE(WorstRow(got, want, {.count = rows, .length = shape.n, .stride = shape.n + 2}),
              testing::Tolerance(test.c_dtype))
        << Words(shape);
  }
}

TEST_P(GemmTest, WritesNothingBetweenRows) {
  Random random(2);
  const GemmCase test(random, {.m = 9, .n = 33, .k = 20}, DType::kBf16, DType::kBf16, DType::kBf16);
  const Tensor c = test.Run(*backend_);
  for (std::int64_t row = 0; row < 9; ++row) {
    EXPECT_TRUE(std::isnan(c.Get(row * 35 + 33)));
    EXPECT_TRUE(std::isnan(c.Get(row * 35 + 34)));
  }
}

TEST_P(GemmTest, RowsIgnoreTheirNeighbours) {
  Random random(3);
  for (int rows : {1, 2, 7, 8, 9, 33, 257, 300}) {
    SCOPED_TRACE(Where(rows));
    const Shape shape{.m = rows, .n = 37, .k = 143};
    const GemmCase all(random, shape, DType::kBf16, random.Pick(testing::StorageTypes()),
                       DType::kF32);
    const Tensor together = all.Run(*backend_, random.Integer(1, 4));
    for (int row : {0, rows / 2, rows - 1}) {
      GemmCase alone = all;
      alone.shape.m = 1;
      CopyRow(all.a, std::int64_t{row} * (shape.k + 3), alone.a, 0, shape.k);
      const Tensor single = alone.Run(*backend_);
      EXPECT_TRUE(SameBits(together, std::int64_t{row} * (shape.n + 2), single, 0, shape.n))
          << "row " << row << " of " << rows;
    }
  }
}

BATON_ON_EVERY_BACKEND(GemmTest);

}  // namespace
}  // namespace baton
