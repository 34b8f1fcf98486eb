#include <algorithm>
#include <numeric>

#include "tests/kernels/backend_test.h"

namespace baton {
namespace {

using testing::Random;
using testing::Tensor;

struct FfnShape {
  int tokens = 1;
  int hidden = 24;
  int inter = 20;
  int experts = 6;
  int top_k = 2;
};

struct FfnCase {
  FfnCase(Random& random, const FfnShape& s, DType activation_type, DType weight_type)
      : shape(s),
        x(Tensor::Normal(random, activation_type, std::int64_t{s.tokens} * s.hidden)),
        shared(Tensor::Normal(random, DType::kF32, std::int64_t{s.tokens} * s.hidden)) {
    const auto matrix = std::int64_t{s.hidden} * s.inter;
    for (int e = 0; e < s.experts; ++e) {
      for (std::vector<Tensor>* kind : {&gate, &up, &down}) {
        kind->push_back(Tensor::Normal(random, weight_type, matrix, 0.3F));
      }
    }
    std::vector<std::int32_t> all(static_cast<std::size_t>(s.experts));
    std::iota(all.begin(), all.end(), 0);
    for (int t = 0; t < s.tokens; ++t) {
      std::shuffle(all.begin(), all.end(), random.engine());
      std::sort(all.begin(), all.begin() + s.top_k);
      ids.insert(ids.end(), all.begin(), all.begin() + s.top_k);
      for (int i = 0; i < s.top_k; ++i) weights.push_back(random.Normal());
    }
  }

  static std::vector<const void*> Pointers(const std::vector<Tensor>& tensors) {
    std::vector<const void*> pointers;
    for (const Tensor& tensor : tensors) pointers.push_back(tensor.data());
    return pointers;
  }

  Tensor Run(const Backend& backend, int threads = 1) const {
    Tensor out(x.type(), std::int64_t{shape.tokens} * shape.hidden);
    const auto gates = Pointers(gate);
    const auto ups = Pointers(up);
    const auto downs = Pointers(down);
    testing::PoisonedStream stream(threads);
    const absl::Status status = backend.expert_ffn({.tokens = shape.tokens,
                                                    .hidden = shape.hidden,
                                                    .inter = shape.inter,
                                                    .experts = shape.experts,
                                                    .top_k = shape.top_k,
                                                    .activation = x.type(),
                                                    .weight_dtype = gate[0].type(),
                                                    .x = x.data(),
                                                    .ids = ids.data(),
                                                    .weights = weights.data(),
                                                    .gate = gates.data(),
                                                    .up = ups.data(),
                                                    .down = downs.data(),
                                                    .shared = with_shared ? shared_data() : nullptr,
                                                    .out = out.data()},
                                                   stream);
    EXPECT_TRUE(status.ok()) << status.message();
    return out;
  }

  const float* shared_data() const { return reinterpret_cast<const float*>(shared.data()); }

  FfnShape shape;
  Tensor x;
  Tensor shared;
  std::vector<Tensor> gate, up, down;
  std::vector<std::int32_t> ids;
  std::vector<float> weights;
  bool with_shared = true;
};

class ExpertFfnTest : public testing::BackendTest {};

TEST_P(ExpertFfnTest, RefusesIdsThatAreNotAscendingExperts) {
  Stream stream(1);
  for (const std::vector<std::int32_t>& ids :
       {std::vector<std::int32_t>{3, 1}, {1, 1}, {-1, 2}, {1, 6}}) {
    const absl::Status status = backend_->expert_ffn(
        {.tokens = 1, .hidden = 4, .inter = 4, .experts = 6, .top_k = 2, .ids = ids.data()},
        stream);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_P(ExpertFfnTest, AgreesWithTheReferenceRowByRow) {
  Random random(60);
  for (int number = 0; number < 12; ++number) {
    SCOPED_TRACE(Where(number));
    const FfnShape shape{.tokens = random.Pick<int>({0, 1, 2, 9, 40}),
                         .hidden = random.Integer(8, 70),
                         .inter = random.Integer(1, 70),
                         .top_k = random.Integer(1, 6)};
    FfnCase test(random, shape, random.Pick(testing::StorageTypes()),
                 random.Pick(testing::StorageTypes()));
    test.with_shared = number % 2 == 0;
    EXPECT_LE(WorstRow(test.Run(*backend_, random.Integer(1, 3)), test.Run(ReferenceBackend()),
                       {.count = shape.tokens, .length = shape.hidden, .stride = shape.hidden}),
              testing::Tolerance(test.x.type()));
  }
}

TEST_P(ExpertFfnTest, RowsIgnoreTheirNeighbours) {
  Random random(61);
  const FfnShape shape{.tokens = 300, .top_k = 3};
  const FfnCase all(random, shape, DType::kF32, DType::kBf16);
  const Tensor together = all.Run(*backend_, 3);
  for (int token : {0, 17, 299}) {
    FfnCase alone = all;
    alone.shape.tokens = 1;
    CopyRow(all.x, token * shape.hidden, alone.x, 0, shape.hidden);
    CopyRow(all.shared, token * shape.hidden, alone.shared, 0, shape.hidden);
    std::copy_n(all.ids.begin() + token * 3, 3, alone.ids.begin());
    std::copy_n(all.weights.begin() + token * 3, 3, alone.weights.begin());
    EXPECT_TRUE(SameBits(together, token * shape.hidden, alone.Run(*backend_), 0, shape.hidden));
  }
}

BATON_ON_EVERY_BACKEND(ExpertFfnTest);

}  // namespace
}  // namespace baton
