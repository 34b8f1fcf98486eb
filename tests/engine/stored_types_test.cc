// A checkpoint means the same in whatever type its tensors are stored.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/common/elements.h"
#include "tests/engine/checkpoint_writer.h"
#include "tests/engine/forward_runner.h"

namespace baton {
namespace {

using testing::CheckpointWriter;
using testing::ForwardRunner;
using testing::WrittenTensor;

const std::vector<TokenId> kPrompt = {5, 17, 600, 33, 2, 91, 404};

// Every tensor widened or narrowed from bf16 to `type`.
void StoreAll(CheckpointWriter& checkpoint, const char* name, DType type) {
  for (auto& [tensor_name, tensor] : checkpoint.tensors) {
    ASSERT_EQ(tensor.dtype, "BF16");
    const std::size_t count = tensor.bytes.size() / 2;
    WrittenTensor stored{name, tensor.shape, std::string(count * BytesOf(type), '\0')};
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::int64_t>(i);
      StoreElement(stored.bytes.data(), type, at,
                   LoadElement(tensor.bytes.data(), DType::kBf16, at));
    }
    tensor = stored;
  }
  checkpoint.WriteAll();
}

std::vector<float> LogitsOf(const CheckpointWriter& checkpoint, const char* dtype) {
  ModelConfig config;
  config.dtype = dtype;
  const auto model = checkpoint.Load(config);
  EXPECT_TRUE(model.ok()) << model.status();
  if (!model.ok()) return {};
  return ForwardRunner(**model, ReferenceBackend(), 64).Feed(kPrompt);
}

class StoredTypesTest : public ::testing::TestWithParam<const char*> {};

TEST_P(StoredTypesTest, SinglesHoldWhatBf16HeldBitForBit) {
  CheckpointWriter bf16(GetParam());
  bf16.WriteAll();
  CheckpointWriter singles(GetParam());
  StoreAll(singles, "F32", DType::kF32);
  for (const char* dtype : {"float32", "bfloat16"}) {
    EXPECT_EQ(LogitsOf(singles, dtype), LogitsOf(bf16, dtype)) << dtype;
  }
}

TEST_P(StoredTypesTest, HalvesLoseOnlyWhatIsBelowTheirRange) {
  CheckpointWriter bf16(GetParam());
  bf16.WriteAll();
  CheckpointWriter halves(GetParam());
  StoreAll(halves, "F16", DType::kF16);
  const std::vector<float> want = LogitsOf(bf16, "float32");
  const std::vector<float> got = LogitsOf(halves, "float32");
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-3) << i;
}

INSTANTIATE_TEST_SUITE_P(, StoredTypesTest, ::testing::Values("v2_group", "qwen2"));

}  // namespace
}  // namespace baton
