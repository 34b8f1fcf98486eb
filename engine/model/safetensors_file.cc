#include "engine/model/safetensors_file.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/json.h"
#include "base/status.h"

namespace baton {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kHeaderBytesMax = 100'000'000;
constexpr int kHeaderDepthMax = 8;
// Of 60,000 tensors, more than any shard holds: a header costs at most some 64 MiB beyond its size.
constexpr std::size_t kHeaderValuesMax = 500'000;
constexpr std::size_t kNameShownMax = 200;

struct Span {
  std::uint64_t begin;
  std::uint64_t end;
};

absl::Status BadHeader(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the safetensors header ", what));
}

absl::Status BadTensor(absl::string_view name, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("tensor ", absl::CHexEscape(name.substr(0, kNameShownMax)), ": ", what));
}

// Bits an element, or nothing for a type that the format does not know.
std::optional<std::uint64_t> BitsOf(absl::string_view dtype) {
  static constexpr std::pair<const char*, std::uint64_t> kTypes[] = {
      {"BOOL", 8},    {"U8", 8},   {"I8", 8},   {"F8_E4M3", 8}, {"F8_E5M2", 8},
      {"F8_E8M0", 8}, {"I16", 16}, {"U16", 16}, {"F16", 16},    {"BF16", 16},
      {"I32", 32},    {"U32", 32}, {"F32", 32}, {"I64", 64},    {"U64", 64},
      {"F64", 64},    {"C64", 64}, {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}};
  for (const auto& [name, bits] : kTypes) {
    if (dtype == name) return bits;
  }
  return std::nullopt;
}

absl::StatusOr<JsonValue> ReadHeader(std::span<const std::byte> file) {
  if (file.size() < kLengthBytes) return BadHeader("is cut off: the file has under 8 bytes");
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  if (length > kHeaderBytesMax) return BadHeader("claims to be longer than 100 MB");
  if (length > file.size() - kLengthBytes) return BadHeader("reaches past the end of the file");
  const absl::string_view text(reinterpret_cast<const char*>(file.data()) + kLengthBytes,
                               static_cast<std::size_t>(length));
  if (text.empty() || text.front() != '{') return BadHeader("does not begin with {");
  JsonLimits limits;
  limits.depth_max = kHeaderDepthMax;
  limits.values_max = kHeaderValuesMax;
  limits.errors_name_keys = true;
  absl::StatusOr<JsonValue> header = ParseJson(text, limits);
  if (!header.ok()) return BadHeader(absl::StrCat("is broken: ", header.status().message()));
  return header;
}

absl::StatusOr<Span> ReadOffsets(absl::string_view name, const JsonObject& entry) {
  const JsonValue* value = entry.Find("data_offsets");
  const JsonArray* offsets = value == nullptr ? nullptr : value->AsArray();
  std::int64_t begin = 0;
  std::int64_t end = 0;
  if (offsets == nullptr || offsets->size() != 2 || !(*offsets)[0].AsInt(&begin) ||
      !(*offsets)[1].AsInt(&end) || begin < 0 || end < begin) {
    return BadTensor(name, "data_offsets must be two whole numbers, begin <= end");
  }
  return Span{static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end)};
}

absl::StatusOr<std::vector<std::int64_t>> ReadShape(absl::string_view name,
                                                    const JsonObject& entry) {
  const JsonValue* value = entry.Find("shape");
  const JsonArray* dims = value == nullptr ? nullptr : value->AsArray();
  if (dims == nullptr) return BadTensor(name, "shape is missing or no list");
  std::vector<std::int64_t> shape;
  for (const JsonValue& item : *dims) {
    std::int64_t dim = 0;
    if (!item.AsInt(&dim) || dim < 0) return BadTensor(name, "shape must be whole numbers >= 0");
    shape.push_back(dim);
  }
  return shape;
}

// Does the shape fill exactly `bytes`? Every product is checked.
absl::Status CheckSize(absl::string_view name, const StoredTensor& tensor, std::uint64_t bytes) {
  const std::optional<std::uint64_t> bits = BitsOf(tensor.dtype);
  if (!bits.has_value()) return absl::OkStatus();  // it cannot be used anyway
  std::uint64_t total = *bits;
  for (const std::int64_t dim : tensor.shape) {
    if (__builtin_mul_overflow(total, static_cast<std::uint64_t>(dim), &total)) {
      return BadTensor(name, "the product of its shape overflows");
    }
  }
  if (total % 8 != 0 || total / 8 != bytes) {
    return BadTensor(name, absl::StrFormat("%s of its shape does not fill %d bytes exactly",
                                           tensor.dtype, bytes));
  }
  return absl::OkStatus();
}

// No hole, no overlap, no tail.
absl::Status CheckCover(std::vector<std::pair<Span, absl::string_view>> spans,
                        std::uint64_t data_bytes) {
  std::sort(spans.begin(), spans.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.begin, a.first.end) < std::pair(b.first.begin, b.first.end);
  });
  std::uint64_t covered = 0;
  for (const auto& [span, name] : spans) {
    if (span.begin != covered) {
      return BadTensor(
          name, absl::StrFormat("offset %d; the tensor before it ends at %d", span.begin, covered));
    }
    covered = span.end;
  }
  if (covered == data_bytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("the last tensor's offset ends at %d of %d data bytes", covered, data_bytes));
}

absl::Status CheckMetadata(const JsonValue& metadata) {
  const JsonObject* object = metadata.AsObject();
  if (object == nullptr) return BadHeader("has a __metadata__ that is no object");
  for (const auto& [key, value] : object->members()) {
    if (value.AsString() == nullptr) return BadHeader("has a __metadata__ that holds no string");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StoredTensors> ParseSafetensors(std::span<const std::byte> file) {
  BATON_ASSIGN_OR_RETURN(const JsonValue header, ReadHeader(file));
  if (header.AsObject() == nullptr) return BadHeader("is no object");
  std::uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, file.data(), kLengthBytes);
  const auto data = file.subspan(kLengthBytes + static_cast<std::size_t>(header_bytes));
  StoredTensors tensors;
  std::vector<std::pair<Span, absl::string_view>> spans;
  for (const auto& [name, value] : header.AsObject()->members()) {
    if (name == "__metadata__") {
      BATON_RETURN_IF_ERROR(CheckMetadata(value));
      continue;
    }
    const JsonObject* entry = value.AsObject();
    const JsonValue* dtype = entry == nullptr ? nullptr : entry->Find("dtype");
    if (dtype == nullptr || dtype->AsString() == nullptr) {
      return BadTensor(name, "dtype is missing or no string");
    }
    StoredTensor tensor;
    tensor.dtype = *dtype->AsString();
    BATON_ASSIGN_OR_RETURN(tensor.shape, ReadShape(name, *entry));
    BATON_ASSIGN_OR_RETURN(const Span span, ReadOffsets(name, *entry));
    if (span.end > data.size()) return BadTensor(name, "its offset lies past the end of the file");
    BATON_RETURN_IF_ERROR(CheckSize(name, tensor, span.end - span.begin));
    tensor.bytes = data.subspan(static_cast<std::size_t>(span.begin),
                                static_cast<std::size_t>(span.end - span.begin));
    spans.emplace_back(span, name);
    tensors.emplace(name, std::move(tensor));
  }
  BATON_RETURN_IF_ERROR(CheckCover(std::move(spans), data.size()));
  return tensors;
}

}  // namespace baton
