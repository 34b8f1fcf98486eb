#include "kvtransfer/copy_crc.h"

#include <array>
#include <cstring>

namespace baton {
namespace {

constexpr std::uint32_t kPolynomialReflected = 0x82F63B78;

constexpr std::array<std::uint32_t, 256> MakeByteTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomialReflected : 0);
    }
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kByteTable = MakeByteTable();

bool HasSse42() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
#else
  return false;
#endif
}

}  // namespace

std::uint32_t Crc32cTable(const std::byte* src, std::size_t bytes) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (std::size_t i = 0; i < bytes; ++i) {
    crc = (crc >> 8) ^ kByteTable[(crc ^ static_cast<std::uint32_t>(src[i])) & 0xFF];
  }
  return ~crc;
}

std::uint32_t Crc32c(const std::byte* src, std::size_t bytes) {
#if defined(__x86_64__)
  if (HasSse42()) return Crc32cSse42(src, bytes);
#endif
  return Crc32cTable(src, bytes);
}

std::uint32_t CopyAndCrc32c(std::byte* dst, const std::byte* src, std::size_t bytes) {
#if defined(__x86_64__)
  if (HasSse42()) return CopyAndCrc32cSse42(dst, src, bytes);
#endif
  if (bytes == 0) return 0;
  std::memcpy(dst, src, bytes);
  return Crc32cTable(dst, bytes);
}

const char* Crc32cImplementation() { return HasSse42() ? "sse42" : "table"; }

}  // namespace baton
