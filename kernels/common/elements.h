// One element of a tensor, whatever its type, as fp32: the plain loops' only way to memory.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/dtype.h"
#include "kernels/common/float_bits.h"

namespace baton {

/// base[index]. `type` is fp32, bf16 or fp16; `base` need not be aligned.
inline float LoadElement(const void* base, DType type, std::int64_t index) {
  const auto* bytes =
      static_cast<const std::byte*>(base) + static_cast<std::size_t>(index) * BytesOf(type);
  if (type == DType::kF32) {
    float value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  std::uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return type == DType::kBf16 ? Bf16ToFloat(bits) : HalfToFloat(bits);
}

/// base[index] = value, rounded once.
inline void StoreElement(void* base, DType type, std::int64_t index, float value) {
  auto* bytes = static_cast<std::byte*>(base) + static_cast<std::size_t>(index) * BytesOf(type);
  if (type == DType::kF32) {
    std::memcpy(bytes, &value, sizeof value);
    return;
  }
  const std::uint16_t bits = type == DType::kBf16 ? FloatToBf16(value) : FloatToHalf(value);
  std::memcpy(bytes, &bits, sizeof bits);
}

/// What `value` becomes when it is stored as `type`.
inline float RoundTo(DType type, float value) {
  if (type == DType::kBf16) return Bf16ToFloat(FloatToBf16(value));
  if (type == DType::kF16) return HalfToFloat(FloatToHalf(value));
  return value;
}

/// The first byte of base[index].
inline const std::byte* ElementAt(const void* base, DType type, std::int64_t index) {
  return static_cast<const std::byte*>(base) + static_cast<std::size_t>(index) * BytesOf(type);
}

inline std::byte* ElementAt(void* base, DType type, std::int64_t index) {
  return static_cast<std::byte*>(base) + static_cast<std::size_t>(index) * BytesOf(type);
}

}  // namespace baton
