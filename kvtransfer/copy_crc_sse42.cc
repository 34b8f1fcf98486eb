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

// Measured on an EPYC of the fourth generation, pages in memory, against memcpy at 7.2 GB/s: blocks
// of 2 KiB without prefetch read 6.4 and copy 5.0 GB/s (the hardware follows three distant streams
// badly, and a plain store first reads its line); this way 9 and 7 GB/s; 22 GB/s in cache.
constexpr std::size_t kBlockBytes = 256;
constexpr std::size_t kStripeBytes = 3 * kBlockBytes;
constexpr std::size_t kPrefetchBytes = 4 * kStripeBytes;
constexpr std::size_t kStreamBytesMin = 16 * 1024;  // shorter copies stay in the cache

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

enum class Store { kNone, kCached, kStreaming };

/// One word of one stream: into the checksum and, where there is a destination, into place.
template <Store kStore>
[[gnu::target("sse4.2")]] inline std::uint64_t Word(std::uint64_t state, std::byte* dst,
                                                    const std::byte* src) {
  std::uint64_t word;
  std::memcpy(&word, src, sizeof(word));
  if constexpr (kStore == Store::kCached) std::memcpy(dst, &word, sizeof(word));
  if constexpr (kStore == Store::kStreaming) {
    _mm_stream_si64(reinterpret_cast<long long*>(dst), static_cast<long long>(word));
  }
  return _mm_crc32_u64(state, word);
}

/// One stripe. `dst` is not used without a store. Prefetching past the end of a page is harmless.
template <Store kStore>
[[gnu::target("sse4.2")]] std::uint64_t Stripe(std::uint64_t state, std::byte* dst,
                                               const std::byte* src, const ShiftTable& shift) {
  std::uint64_t second = 0;
  std::uint64_t third = 0;
  for (std::size_t line = 0; line < kBlockBytes; line += 64) {
    for (std::size_t block = 0; block < kStripeBytes; block += kBlockBytes) {
      _mm_prefetch(reinterpret_cast<const char*>(src) + kPrefetchBytes + block + line, _MM_HINT_T0);
    }
    for (std::size_t i = line; i < line + 64; i += 8) {
      state = Word<kStore>(state, dst + i, src + i);
      second = Word<kStore>(second, dst + kBlockBytes + i, src + kBlockBytes + i);
      third = Word<kStore>(third, dst + 2 * kBlockBytes + i, src + 2 * kBlockBytes + i);
    }
  }
  return Shift(shift, Shift(shift, state) ^ second) ^ third;
}

template <Store kStore>
[[gnu::target("sse4.2")]] std::uint32_t Run(std::byte* dst, const std::byte* src,
                                            std::size_t bytes) {
  static const ShiftTable shift = MakeShiftTable(kBlockBytes);
  std::uint64_t state = 0xFFFFFFFF;
  std::size_t done = 0;
  for (; bytes - done >= kStripeBytes; done += kStripeBytes) {
    state = Stripe<kStore>(state, dst + done, src + done, shift);
  }
  for (; bytes - done >= 8; done += 8) state = Word<kStore>(state, dst + done, src + done);
  for (; done < bytes; ++done) {
    if constexpr (kStore != Store::kNone) dst[done] = src[done];
    state = _mm_crc32_u8(static_cast<std::uint32_t>(state), static_cast<std::uint8_t>(src[done]));
  }
  // Streaming stores are not ordered with what the caller publishes next.
  if constexpr (kStore == Store::kStreaming) _mm_sfence();
  return ~static_cast<std::uint32_t>(state);
}

}  // namespace

std::uint32_t Crc32cSse42(const std::byte* src, std::size_t bytes) {
  // The destination is never written: any valid pointer keeps the arithmetic defined.
  return Run<Store::kNone>(const_cast<std::byte*>(src), src, bytes);
}

std::uint32_t CopyAndCrc32cSse42(std::byte* dst, const std::byte* src, std::size_t bytes) {
  return bytes < kStreamBytesMin ? Run<Store::kCached>(dst, src, bytes)
                                 : Run<Store::kStreaming>(dst, src, bytes);
}

}  // namespace baton
#endif
