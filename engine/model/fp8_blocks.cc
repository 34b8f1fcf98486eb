#include "engine/model/fp8_blocks.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "kernels/common/elements.h"

namespace baton {
namespace {

constexpr std::int64_t kBlock = 128;

// float * float would round to 24 bits and then again to 8: the sum of two roundings is not the
// nearest. A product of 4 and 24 significant bits is exact in double.
std::uint16_t RoundToBf16(double exact) {
  const auto near = static_cast<float>(exact);
  std::uint32_t bits = std::bit_cast<std::uint32_t>(near);
  // On a tie of bf16 that the first rounding made, the side on which `exact` lies decides.
  if ((bits & 0xffffU) == 0x8000U && exact != static_cast<double>(near)) {
    const bool away = (exact > static_cast<double>(near)) == (near > 0);
    bits = away ? bits + 1 : bits - 1;
  }
  return FloatToBf16(std::bit_cast<float>(bits));
}

constexpr std::array<float, 256> MakeFp8Values() {
  std::array<float, 256> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = E4m3ToFloat(static_cast<std::uint8_t>(i));
  }
  return values;
}

constexpr std::array<float, 256> kFp8Values = MakeFp8Values();

}  // namespace

void WidenFp8Blocks(std::span<const std::byte> values, std::span<const float> scales,
                    std::int64_t rows, std::int64_t cols, DType dtype, void* out) {
  const std::int64_t blocks = (cols + kBlock - 1) / kBlock;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t block = 0; block < blocks; ++block) {
      const double scale = scales[static_cast<std::size_t>(row / kBlock * blocks + block)];
      const std::int64_t end = std::min(cols, (block + 1) * kBlock);
      for (std::int64_t col = block * kBlock; col < end; ++col) {
        const std::int64_t at = row * cols + col;
        const auto code = static_cast<std::uint8_t>(values[static_cast<std::size_t>(at)]);
        const double exact = kFp8Values[code] * scale;
        StoreElement(out, dtype, at, Bf16ToFloat(RoundToBf16(exact)));
      }
    }
  }
}

}  // namespace baton
