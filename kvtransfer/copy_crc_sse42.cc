// The crc32 instruction has a latency of three cycles and a throughput of one, so three streams run
// side by side: a stripe is three blocks of equal length, and the checksums are joined at its end
// by "append n zero bytes", which is linear in the 32 bits of the state and thus four table
// look-ups.
#include <array>
#include <cstring>

#include "kvtransfer/copy_crc.h"

#if defined(__x86_64__)
#include <nmmintrin.h>

namespace baton {
namespace {

constexpr std::size_t kLongBlockBytes = 2048;  // stripes of 6 KiB: joins cost under 1 %
constexpr std::size_t kShortBlockBytes = 128;  // stripes of 384 B: for what is left of a page

using ShiftTable = std::array<std::array<std::uint32_t, 256>, 4>;

/// The state after `bytes` zero bytes, bit by bit: the definition that the tables come from.
constexpr std::uint32_t AppendZeros(std::uint32_t state, std::size_t bytes) {
  for (std::size_t bit = 0; bit < 8 * bytes; ++bit) {
    state = (state >> 1) ^ ((state & 1) != 0 ? 0x82F63B78 : 0);
  }
  return state;
}

ShiftTable MakeShiftTable(std::size_t bytes) {
  std::array<std::uint32_t, 32> column{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    column[bit] = AppendZeros(std::uint32_t{1} << bit, bytes);
  }
  ShiftTable table{};
  for (std::size_t lane = 0; lane < 4; ++lane) {
    for (std::size_t value = 0; value < 256; ++value) {
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if ((value >> bit & 1) != 0) table[lane][value] ^= column[8 * lane + bit];
      }
    }
  }
  return table;
}

std::uint64_t Shift(const ShiftTable& table, std::uint64_t state) {
  return table[0][state & 0xFF] ^ table[1][state >> 8 & 0xFF] ^ table[2][state >> 16 & 0xFF] ^
         table[3][state >> 24 & 0xFF];
}

/// One word of one stream: into the checksum and, where there is a destination, into place.
template <bool kCopy>
[[gnu::target("sse4.2")]] inline std::uint64_t Word(std::uint64_t state, std::byte* dst,
                                                    const std::byte* src) {
  std::uint64_t word;
  std::memcpy(&word, src, sizeof(word));
  if constexpr (kCopy) std::memcpy(dst, &word, sizeof(word));
  return _mm_crc32_u64(state, word);
}

/// One stripe of 3 * kBlock bytes.
template <bool kCopy, std::size_t kBlock>
[[gnu::target("sse4.2")]] std::uint64_t Stripe(std::uint64_t state, std::byte* dst,
                                               const std::byte* src, const ShiftTable& shift) {
  std::uint64_t second = 0;
  std::uint64_t third = 0;
  for (std::size_t i = 0; i < kBlock; i += 8) {
    state = Word<kCopy>(state, kCopy ? dst + i : nullptr, src + i);
    second = Word<kCopy>(second, kCopy ? dst + kBlock + i : nullptr, src + kBlock + i);
    third = Word<kCopy>(third, kCopy ? dst + 2 * kBlock + i : nullptr, src + 2 * kBlock + i);
  }
  return Shift(shift, Shift(shift, state) ^ second) ^ third;
}

template <bool kCopy>
[[gnu::target("sse4.2")]] std::uint32_t Run(std::byte* dst, const std::byte* src,
                                            std::size_t bytes) {
  static const ShiftTable long_shift = MakeShiftTable(kLongBlockBytes);
  static const ShiftTable short_shift = MakeShiftTable(kShortBlockBytes);
  std::uint64_t state = 0xFFFFFFFF;
  std::size_t done = 0;
  const auto to = [&] { return kCopy ? dst + done : nullptr; };
  for (; bytes - done >= 3 * kLongBlockBytes; done += 3 * kLongBlockBytes) {
    state = Stripe<kCopy, kLongBlockBytes>(state, to(), src + done, long_shift);
  }
  for (; bytes - done >= 3 * kShortBlockBytes; done += 3 * kShortBlockBytes) {
    state = Stripe<kCopy, kShortBlockBytes>(state, to(), src + done, short_shift);
  }
  for (; bytes - done >= 8; done += 8) state = Word<kCopy>(state, to(), src + done);
  for (; done < bytes; ++done) {
    if constexpr (kCopy) dst[done] = src[done];
    state = _mm_crc32_u8(static_cast<std::uint32_t>(state), static_cast<std::uint8_t>(src[done]));
  }
  return ~static_cast<std::uint32_t>(state);
}

}  // namespace

std::uint32_t Crc32cSse42(const std::byte* src, std::size_t bytes) {
  return Run<false>(nullptr, src, bytes);
}

std::uint32_t CopyAndCrc32cSse42(std::byte* dst, const std::byte* src, std::size_t bytes) {
  return Run<true>(dst, src, bytes);
}

}  // namespace baton
#endif
