// FP8 weights in blocks: the numbers, the rounding, and a checkpoint against its widened twin.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/model/fp8_blocks.h"
#include "kernels/common/elements.h"
#include "tests/engine/checkpoint_writer.h"
#include "tests/engine/forward_runner.h"

namespace baton {
namespace {

using testing::CheckpointWriter;
using testing::ForwardRunner;
using testing::WrittenTensor;

constexpr char kScale[] = "model.layers.0.self_attn.kv_a_proj_with_mqa.weight_scale_inv";

void ExpectRefused(const CheckpointWriter& checkpoint, const std::string& word) {
  checkpoint.WriteAll();
  const auto model = checkpoint.Load();
  ASSERT_FALSE(model.ok()) << word;
  EXPECT_NE(model.status().ToString().find(word), std::string::npos) << model.status();
}

// The definition, written down apart from the product's: sign, exponent, fraction in double.
double E4m3(int code) {
  const int exponent = (code >> 3) & 15;
  const int fraction = code & 7;
  if ((code & 127) == 127) return std::numeric_limits<double>::quiet_NaN();
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -9) : std::ldexp(8 + fraction, exponent - 10);
  return code < 128 ? magnitude : -magnitude;
}

TEST(Fp8WeightsTest, EveryCodeIsItsDefinitionsNumber) {
  for (int code = 0; code < 256; ++code) {
    const float value = E4m3ToFloat(static_cast<std::uint8_t>(code));
    if (std::isnan(E4m3(code))) {
      EXPECT_TRUE(std::isnan(value)) << code;
    } else {
      EXPECT_EQ(value, E4m3(code)) << code;
      EXPECT_EQ(std::signbit(value), code >= 128) << code;
    }
  }
}

TEST(Fp8WeightsTest, AProductIsRoundedOnce) {
  // 1.125 x scale lies just above the middle of two bf16 numbers, and fp32 would round it to the
  // middle, from where ties go to even: down.
  const double middle = 1.0 + 0x1p-8;
  const auto scale = static_cast<float>(middle / 1.125) + 0x1p-24F;
  const double exact = 1.125 * static_cast<double>(scale);
  ASSERT_GT(exact, middle);
  ASSERT_EQ(1.125F * scale, static_cast<float>(middle));
  const std::vector<std::byte> code = {std::byte{0x39}, std::byte{0xb9}};  // 1.125, -1.125
  const std::vector<float> scales = {scale};
  float out[2];
  WidenFp8Blocks(code, scales, 1, 2, DType::kF32, out);
  EXPECT_EQ(out[0], 1.0F + 0x1p-7F);
  EXPECT_EQ(out[1], -1.0F - 0x1p-7F);
}

TEST(Fp8WeightsTest, ScalesBelongToBlocksAndEdgeBlocksAreShort) {
  const std::int64_t rows = 130;
  const std::int64_t cols = 257;
  const std::vector<std::byte> ones(static_cast<std::size_t>(rows * cols), std::byte{0x38});
  const std::vector<float> scales = {1, 2, 3, 4, 5, 6};
  std::vector<float> out(ones.size());
  WidenFp8Blocks(ones, scales, rows, cols, DType::kF32, out.data());
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t col = 0; col < cols; ++col) {
      const auto block = static_cast<float>(row / 128 * 3 + col / 128 + 1);
      ASSERT_EQ(out[static_cast<std::size_t>(row * cols + col)], block) << row << " " << col;
    }
  }
}

// The same checkpoint with every F8_E4M3 tensor written as bf16, widened by the definition above.
void WriteWidened(CheckpointWriter& twin) {
  std::vector<std::string> scales;
  for (auto& [name, tensor] : twin.tensors) {
    if (tensor.dtype != "F8_E4M3") continue;
    const std::string& scale = twin.tensors.at(name + "_scale_inv").bytes;
    scales.push_back(name + "_scale_inv");
    const std::int64_t cols = tensor.shape[1];
    std::string wide;
    for (std::int64_t i = 0; i < tensor.shape[0] * cols; ++i) {
      const std::int64_t block = i / cols / 128 * ((cols + 127) / 128) + i % cols / 128;
      const double exact =
          E4m3(static_cast<unsigned char>(tensor.bytes[static_cast<std::size_t>(i)])) *
          double{LoadElement(scale.data(), DType::kF32, block)};
      const std::uint16_t bits = FloatToBf16(static_cast<float>(exact));
      wide.append(reinterpret_cast<const char*>(&bits), 2);
    }
    tensor = {"BF16", tensor.shape, wide};
  }
  for (const std::string& name : scales) twin.tensors.erase(name);
  twin.WriteAll();
}

TEST(Fp8WeightsTest, AnFp8CheckpointGivesTheBitsOfItsWidenedTwin) {
  CheckpointWriter fp8("v3_fp8");
  fp8.WriteAll();
  CheckpointWriter twin("v3_fp8");
  WriteWidened(twin);
  const std::vector<TokenId> ids = {5, 99, 3, 700, 41, 2, 300, 17, 8};
  for (const char* dtype : {"bfloat16", "float32"}) {
    ModelConfig config;
    config.dtype = dtype;
    const auto one = fp8.Load(config);
    const auto two = twin.Load(config);
    ASSERT_TRUE(one.ok() && two.ok()) << one.status() << two.status();
    EXPECT_EQ(ForwardRunner(**one, ReferenceBackend(), 64).Feed(ids),
              ForwardRunner(**two, ReferenceBackend(), 64).Feed(ids))
        << dtype;
  }
}

TEST(Fp8WeightsTest, AScaleThatIsMissingMisshapenOrOfAnotherTypeIsRefusedByName) {
  CheckpointWriter missing("v3_fp8");
  missing.tensors.erase(kScale);
  ExpectRefused(missing, kScale);

  CheckpointWriter misshapen("v3_fp8");
  std::swap(misshapen.tensors[kScale].shape[0], misshapen.tensors[kScale].shape[1]);
  ExpectRefused(misshapen, kScale);

  CheckpointWriter integer("v3_fp8");
  integer.tensors[kScale].dtype = "I32";
  ExpectRefused(integer, kScale);

  CheckpointWriter alone("v3_fp8");
  alone.tensors["model.norm.weight_scale_inv"] = alone.tensors[kScale];
  ExpectRefused(alone, "model.norm.weight_scale_inv");
}

TEST(Fp8WeightsTest, ScalesOfPowersOfTwoMayBeExponentsAlone) {
  CheckpointWriter plain("v3_fp8");
  CheckpointWriter exponents("v3_fp8");
  std::string codes;
  std::string powers;
  for (int i = 0; i < 10; ++i) {
    const float power = std::ldexp(1.0F, i - 12);
    powers.append(reinterpret_cast<const char*>(&power), 4);
    codes += static_cast<char>(127 + i - 12);
  }
  plain.tensors[kScale].bytes = powers;
  exponents.tensors[kScale] = {"F8_E8M0", {5, 2}, codes};
  plain.WriteAll();
  exponents.WriteAll();
  const auto one = plain.Load();
  const auto two = exponents.Load();
  ASSERT_TRUE(one.ok() && two.ok()) << one.status() << two.status();
  EXPECT_EQ(ForwardRunner(**one, ReferenceBackend(), 64).Feed({1, 2, 3}),
            ForwardRunner(**two, ReferenceBackend(), 64).Feed({1, 2, 3}));
}

}  // namespace
}  // namespace baton
