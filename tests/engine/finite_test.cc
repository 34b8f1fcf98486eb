// Weights that hold a NaN or an infinity are refused by tensor and place, in every stored type.
#include "engine/model/finite.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/engine/checkpoint_writer.h"

namespace baton {
namespace {

using testing::CheckpointWriter;

struct BadNumber {
  const char* dtype;
  std::uint64_t bits;
  bool finite;
};

TEST(FiniteTest, EachTypeKnowsItsOwn) {
  const BadNumber rows[] = {
      {"F64", 0x7ff8'0000'0000'0000, false},
      {"F64", 0x7fef'ffff'ffff'ffff, true},
      {"F32", 0x7fc0'0000, false},
      {"F32", 0xff80'0000, false},
      {"F32", 0x7f7f'ffff, true},
      {"BF16", 0x7fc0, false},
      {"BF16", 0xff80, false},
      {"BF16", 0x7f7f, true},
      {"F16", 0x7e00, false},
      {"F16", 0xfc00, false},
      {"F16", 0x7bff, true},
      {"F8_E4M3", 0x7f, false},
      {"F8_E4M3", 0xff, false},
      {"F8_E4M3", 0x7e, true},
      {"F8_E8M0", 0xff, false},
      {"F8_E8M0", 0xfe, true},
  };
  for (const BadNumber& row : rows) {
    const std::size_t size = FloatBytes(row.dtype);
    ASSERT_GT(size, 0U);
    for (const std::size_t at : {0u, 1u, 255u, 256u, 700u, 999u}) {
      // One byte off, so that nothing is aligned.
      std::vector<std::byte> bytes(1000 * size + 1);
      std::memcpy(bytes.data() + 1 + at * size, &row.bits, size);
      const auto found = FirstNotFinite(std::span(bytes).subspan(1), row.dtype);
      EXPECT_EQ(found.has_value(), !row.finite) << row.dtype << " " << row.bits << " at " << at;
      if (found.has_value()) {
        EXPECT_EQ(*found, at);
      }
    }
  }
  EXPECT_EQ(FloatBytes("I64"), 0U);
}

void PutBf16(CheckpointWriter& checkpoint, const std::string& tensor, std::size_t at,
             std::uint16_t bits) {
  std::memcpy(checkpoint.tensors.at(tensor).bytes.data() + 2 * at, &bits, 2);
}

TEST(FiniteTest, ACheckpointWithOneIsRefusedByTensorAndPlace) {
  const std::string tensor = "model.layers.1.mlp.down_proj.weight";
  for (const std::uint16_t bits :
       {std::uint16_t{0x7fc1}, std::uint16_t{0x7f80}, std::uint16_t{0xff80}}) {
    for (const std::size_t at : {0UL, 77UL}) {
      CheckpointWriter checkpoint("llama3");
      PutBf16(checkpoint, tensor, at, bits);
      checkpoint.WriteAll();
      const auto loaded = checkpoint.Load();
      ASSERT_EQ(loaded.status().code(), absl::StatusCode::kInvalidArgument);
      const std::string message(loaded.status().message());
      EXPECT_NE(message.find(absl::StrCat(tensor, ": element ", at, " is not a finite number")),
                std::string::npos)
          << message;
      EXPECT_NE(message.find("model.safetensors"), std::string::npos) << message;
    }
  }
}

// Bytes are read a MiB at a time; one tensor of this file lies across such a border.
TEST(FiniteTest, TheFirstAndTheLastElementOfEveryTensorAreSeen) {
  CheckpointWriter checkpoint("llama3");
  for (auto& [name, tensor] : checkpoint.tensors) {
    ASSERT_EQ(tensor.dtype, "BF16");
    for (const std::size_t at : {std::size_t{0}, tensor.bytes.size() / 2 - 1}) {
      const std::string good = tensor.bytes;
      PutBf16(checkpoint, name, at, 0x7f80);
      checkpoint.WriteAll();
      const absl::Status status = checkpoint.Load().status();
      EXPECT_NE(status.message().find(absl::StrCat(name, ": element ", at, " ")),
                absl::string_view::npos)
          << name << " " << at << ": " << status;
      tensor.bytes = good;
    }
  }
}

TEST(FiniteTest, AWeightThatTheModelsTypeCannotHoldIsNamed) {
  CheckpointWriter checkpoint("llama3");
  const std::string tensor = "model.layers.0.self_attn.q_proj.weight";
  PutBf16(checkpoint, tensor, 5, 0x4780);  // 65,536
  checkpoint.WriteAll();
  EXPECT_TRUE(checkpoint.Load().ok());
  ModelConfig config;
  config.dtype = "float16";
  const auto loaded = checkpoint.Load(config);
  ASSERT_FALSE(loaded.ok());
  const std::string message(loaded.status().message());
  EXPECT_NE(message.find(tensor), std::string::npos) << message;
  EXPECT_NE(message.find("too large for fp16"), std::string::npos) << message;
}

}  // namespace
}  // namespace baton
