// CRC-32C (Castagnoli), alone and fused with a copy: the checksum under which pages travel.
//
// Fused, because a copy that misses the cache hides the checksum: the receiver must copy anyway,
// and a second pass over a page would pay for memory twice. One polynomial, two implementations:
// a table in plain C++ (the definition of correct, and for machines without SSE4.2) and the crc32
// instruction in three interleaved streams, chosen once at run time.
//
// Source: RFC 3720 section 12.1 and B.4 (polynomial 0x1EDC6F41, reflected, initial and final
// complement); the iSCSI vectors are in the test.
// Thread: any; pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baton {

/// The checksum of src[0, bytes). Of nothing: 0.
std::uint32_t Crc32c(const std::byte* src, std::size_t bytes);

/// Copies src[0, bytes) to dst and returns the checksum of what was copied. No overlap.
std::uint32_t CopyAndCrc32c(std::byte* dst, const std::byte* src, std::size_t bytes);

/// "sse42" or "table": which implementation the two functions above use on this machine.
const char* Crc32cImplementation();

/// The reference: a byte at a time by a table.
std::uint32_t Crc32cTable(const std::byte* src, std::size_t bytes);

#if defined(__x86_64__)
/// The crc32 instruction. Needs SSE4.2. Streams beyond the caches are not special: pages are read
/// soon after.
std::uint32_t Crc32cSse42(const std::byte* src, std::size_t bytes);
std::uint32_t CopyAndCrc32cSse42(std::byte* dst, const std::byte* src, std::size_t bytes);
#endif

}  // namespace baton
