#include "engine/model/finite.h"

#include <algorithm>
#include <cstring>

namespace baton {
namespace {

// A loop of known length without an exit: a few vector instructions.
constexpr std::size_t kBlock = 256;

// An element is no finite number when all bits of `kMask` are set in it.
template <typename Word, Word kMask>
bool AnyInBlock(const std::byte* bytes) {
  Word words[kBlock];
  std::memcpy(words, bytes, sizeof(words));
  unsigned found = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    found |= static_cast<unsigned>((words[i] & kMask) == kMask);
  }
  return found != 0;
}

template <typename Word, Word kMask>
std::optional<std::size_t> First(std::span<const std::byte> bytes) {
  const std::size_t count = bytes.size() / sizeof(Word);
  std::size_t at = 0;
  while (count - at >= kBlock && !AnyInBlock<Word, kMask>(bytes.data() + at * sizeof(Word))) {
    at += kBlock;
  }
  for (; at < count; ++at) {
    Word word;
    std::memcpy(&word, bytes.data() + at * sizeof(Word), sizeof(word));
    if ((word & kMask) == kMask) return at;
  }
  return std::nullopt;
}

}  // namespace

std::size_t FloatBytes(absl::string_view dtype) {
  if (dtype == "F64") return 8;
  if (dtype == "F32") return 4;
  if (dtype == "BF16" || dtype == "F16") return 2;
  if (dtype == "F8_E4M3" || dtype == "F8_E8M0") return 1;
  return 0;
}

// Source: IEEE 754 (an exponent of ones); OCP 8-bit floats 1.0: E4M3 has one NaN of either sign and
// no infinity; OCP Microscaling 1.0: E8M0 has one NaN.
std::optional<std::size_t> FirstNotFinite(std::span<const std::byte> bytes,
                                          absl::string_view dtype) {
  if (dtype == "F64") return First<std::uint64_t, 0x7ff0'0000'0000'0000>(bytes);
  if (dtype == "F32") return First<std::uint32_t, 0x7f80'0000>(bytes);
  if (dtype == "BF16") return First<std::uint16_t, 0x7f80>(bytes);
  if (dtype == "F16") return First<std::uint16_t, 0x7c00>(bytes);
  if (dtype == "F8_E4M3") return First<std::uint8_t, 0x7f>(bytes);
  if (dtype == "F8_E8M0") return First<std::uint8_t, 0xff>(bytes);
  return std::nullopt;
}

}  // namespace baton
