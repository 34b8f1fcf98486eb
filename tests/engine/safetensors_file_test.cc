// Hostile and odd headers. Every case is made here, byte by byte.
#include "engine/model/safetensors_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

std::vector<std::byte> File(std::uint64_t length, const std::string& header,
                            std::size_t data_bytes) {
  std::vector<std::byte> file(8 + header.size() + data_bytes);
  std::memcpy(file.data(), &length, 8);
  std::memcpy(file.data() + 8, header.data(), header.size());
  return file;
}

std::vector<std::byte> File(const std::string& header, std::size_t data_bytes) {
  return File(header.size(), header, data_bytes);
}

std::string Tensor(const std::string& name, const std::string& shape, int begin, int end) {
  return absl::StrCat("\"", name, "\":{\"dtype\":\"BF16\",\"shape\":", shape, ",\"data_offsets\":[",
                      begin, ",", end, "]}");
}

std::string Object(const std::string& inner) { return absl::StrCat("{", inner, "}"); }

void ExpectRefused(const std::vector<std::byte>& file, const std::string& word) {
  const auto tensors = ParseSafetensors(file);
  ASSERT_EQ(tensors.status().code(), absl::StatusCode::kInvalidArgument) << word;
  EXPECT_NE(tensors.status().ToString().find(word), std::string::npos) << tensors.status();
}

TEST(SafetensorsFileTest, ALengthThatCannotBeIsRefused) {
  ExpectRefused({}, "header");
  ExpectRefused(std::vector<std::byte>(7), "header");
  ExpectRefused(File(0, "", 0), "header");
  ExpectRefused(File(9, "{}", 0), "header");
  ExpectRefused(File((std::uint64_t{1} << 63) + 5, "{}", 0), "header");
  ExpectRefused(File(100'000'001, "{}", 0), "header");
}

TEST(SafetensorsFileTest, AHeaderThatIsNoObjectIsRefused) {
  ExpectRefused(File("[1]", 0), "header");
  ExpectRefused(File("{\"a\":", 0), "header");
  ExpectRefused(File(" {}", 0), "header");
  ExpectRefused(File("{} x", 0), "header");
  ExpectRefused(File(std::string(100'000, '{'), 0), "header");
  std::string deep = "{\"a\":";
  for (int i = 0; i < 1000; ++i) deep += '[';
  ExpectRefused(File(deep, 0), "header");
}

TEST(SafetensorsFileTest, ANameThatComesTwiceIsRefused) {
  ExpectRefused(File(Object(Tensor("a", "[2]", 0, 4) + "," + Tensor("a", "[2]", 4, 8)), 8),
                "twice");
}

TEST(SafetensorsFileTest, HolesOverlapsAndTailsAreRefused) {
  ExpectRefused(File(Object(Tensor("a", "[2]", 0, 4) + "," + Tensor("b", "[2]", 6, 10)), 10),
                "offset");
  ExpectRefused(File(Object(Tensor("a", "[4]", 0, 8) + "," + Tensor("b", "[4]", 4, 12)), 12),
                "offset");
  ExpectRefused(File(Object(Tensor("a", "[2]", 0, 4)), 6), "offset");
  ExpectRefused(File(Object(Tensor("a", "[4]", 0, 8)), 4), "offset");
  ExpectRefused(File(Object(Tensor("a", "[2]", 4, 0)), 4), "offset");
  ExpectRefused(File(Object(Tensor("a", "[2]", -4, 0)), 4), "offset");
}

TEST(SafetensorsFileTest, AShapeThatDoesNotFillItsBytesIsRefused) {
  ExpectRefused(File(Object(Tensor("a", "[3]", 0, 4)), 4), "tensor a");
  ExpectRefused(File(Object(Tensor("a", "[-1,-2]", 0, 4)), 4), "tensor a");
  ExpectRefused(File(Object(Tensor("a", "[4294967296,4294967296]", 0, 0)), 0), "overflows");
  ExpectRefused(File(Object(Tensor("a", "2", 0, 4)), 4), "tensor a");
}

TEST(SafetensorsFileTest, MissingFieldsAreRefusedByTensor) {
  ExpectRefused(File(R"({"a":{"shape":[2],"data_offsets":[0,4]}})", 4), "tensor a");
  ExpectRefused(File(R"({"a":{"dtype":"BF16","data_offsets":[0,4]}})", 4), "tensor a");
  ExpectRefused(File(R"({"a":{"dtype":"BF16","shape":[2]}})", 4), "tensor a");
  ExpectRefused(File(R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,2,4]}})", 4),
                "tensor a");
  ExpectRefused(File(R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4.5]}})", 4),
                "tensor a");
  ExpectRefused(File(R"({"a":7})", 0), "tensor a");
  ExpectRefused(File(R"({"__metadata__":{"a":1}})", 0), "__metadata__");
}

TEST(SafetensorsFileTest, SubByteTypesMustFillWholeBytes) {
  ExpectRefused(File(R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", 2), "tensor a");
  EXPECT_TRUE(
      ParseSafetensors(File(R"({"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}})", 2)).ok());
}

TEST(SafetensorsFileTest, OddButLegalFilesAreRead) {
  const std::string order = Tensor("b", "[2]", 4, 8) + "," + Tensor("a", "[2]", 0, 4);
  const auto file = File(Object(order) + std::string(5, ' '), 8);
  const auto tensors = ParseSafetensors(file);
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  ASSERT_EQ(tensors->size(), 2U);
  EXPECT_EQ(tensors->at("b").bytes.data(), tensors->at("a").bytes.data() + 4);
  EXPECT_EQ(tensors->at("a").shape, std::vector<std::int64_t>{2});

  EXPECT_TRUE(ParseSafetensors(File("{}", 0)).ok());
  EXPECT_TRUE(ParseSafetensors(File(R"({"__metadata__":{"format":"pt"}})", 0)).ok());
  EXPECT_TRUE(ParseSafetensors(File(Object(Tensor("scalar", "[]", 0, 2)), 2)).ok());
  EXPECT_TRUE(ParseSafetensors(File(Object(Tensor("empty", "[0,5]", 0, 0)), 0)).ok());
  EXPECT_TRUE(
      ParseSafetensors(File(R"({"a":{"dtype":"BF17","shape":[9],"data_offsets":[0,2]}})", 2)).ok());
}

TEST(SafetensorsFileTest, NoDamagedByteLeadsOutOfTheFile) {
  const auto whole = File(Object(Tensor("a", "[2,3]", 0, 12) + "," + Tensor("b", "[4]", 12, 20) +
                                 R"(,"__metadata__":{"format":"pt"})"),
                          20);
  std::mt19937 random(7);
  int read = 0;
  for (int trial = 0; trial < 20'000; ++trial) {
    auto file = whole;
    for (auto flips = 1 + random() % 3; flips > 0; --flips) {
      file[random() % (file.size() - 20)] = static_cast<std::byte>(random() % 256);
    }
    file.resize(file.size() - (random() % 8 == 0 ? random() % file.size() : 0));
    const auto tensors = ParseSafetensors(file);
    if (!tensors.ok()) {
      ASSERT_EQ(tensors.status().code(), absl::StatusCode::kInvalidArgument);
      continue;
    }
    ++read;
    for (const auto& [name, tensor] : *tensors) {
      ASSERT_GE(tensor.bytes.data(), file.data());
      ASSERT_LE(tensor.bytes.data() + tensor.bytes.size(), file.data() + file.size());
    }
  }
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace baton
