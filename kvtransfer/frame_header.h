// The 40 bytes in front of a piece of a page on the wire: FrameHeader, little endian whatever the
// machine.
//
//   0 session u64   8 lease u64   16 sequence u32   20 page u32   24 piece u16   26 pieces u16
//  28 bytes u32    32 crc32c u32  36 reserved u32 (0)
//
// Every engine that sends frames as messages uses this one codec, so that they meet on the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "kvtransfer/transport.h"

namespace baton {

inline constexpr std::size_t kFrameHeaderBytes = 40;

/// Writes the low sizeof(T) bytes of `value` at `out`, lowest first.
template <typename T>
inline void StoreLittleEndian(T value, std::byte* out) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out[i] = static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * i)) & 0xFF);
  }
}

/// The inverse of StoreLittleEndian.
template <typename T>
inline T LoadLittleEndian(const std::byte* in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<std::uint64_t>(in[i]) << (8 * i);
  }
  return static_cast<T>(value);
}

/// Writes `header` as it travels.
inline void EncodeFrameHeader(const FrameHeader& header,
                              std::span<std::byte, kFrameHeaderBytes> out) {
  std::byte* at = out.data();
  StoreLittleEndian(static_cast<std::uint64_t>(header.session), at);
  StoreLittleEndian(static_cast<std::uint64_t>(header.lease), at + 8);
  StoreLittleEndian(header.sequence, at + 16);
  StoreLittleEndian(header.page, at + 20);
  StoreLittleEndian(header.piece, at + 24);
  StoreLittleEndian(header.pieces, at + 26);
  StoreLittleEndian(header.bytes, at + 28);
  StoreLittleEndian(header.crc32c, at + 32);
  StoreLittleEndian(std::uint32_t{0}, at + 36);
}

/// Reads what EncodeFrameHeader wrote. Nothing when it cannot be a frame of this version: wrong
/// length, reserved bytes set, a payload of 0 or more than kFrameBytesMax bytes, or a piece that
/// the page does not have. The lease is not judged here: that is the sink's.
inline std::optional<FrameHeader> DecodeFrameHeader(std::span<const std::byte> in) {
  if (in.size() != kFrameHeaderBytes) return std::nullopt;
  const std::byte* at = in.data();
  FrameHeader header;
  header.session = static_cast<SessionId>(LoadLittleEndian<std::uint64_t>(at));
  header.lease = static_cast<LeaseId>(LoadLittleEndian<std::uint64_t>(at + 8));
  header.sequence = LoadLittleEndian<std::uint32_t>(at + 16);
  header.page = LoadLittleEndian<std::uint32_t>(at + 20);
  header.piece = LoadLittleEndian<std::uint16_t>(at + 24);
  header.pieces = LoadLittleEndian<std::uint16_t>(at + 26);
  header.bytes = LoadLittleEndian<std::uint32_t>(at + 28);
  header.crc32c = LoadLittleEndian<std::uint32_t>(at + 32);
  if (LoadLittleEndian<std::uint32_t>(at + 36) != 0) return std::nullopt;
  if (header.bytes == 0 || header.bytes > kFrameBytesMax) return std::nullopt;
  if (header.piece >= header.pieces) return std::nullopt;
  return header;
}

}  // namespace baton
