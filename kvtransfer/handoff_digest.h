// One number that says what a hand-off delivered: the sum of a mix of (ordinal, piece, checksum)
// of every piece. A sum, so the order of arrival does not matter; a mix, so that two pages
// exchanged, or one piece twice and another never, show.
//
// Source of the mixer: Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014 (its finalizer, by Stafford).
#pragma once

#include <cstdint>

namespace baton {

constexpr std::uint64_t MixBits(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

/// What one piece adds to the digest, which begins at 0.
constexpr std::uint64_t DigestOfPiece(std::uint32_t page, std::uint16_t piece,
                                      std::uint32_t crc32c) {
  const std::uint64_t place = (std::uint64_t{page} << 16) | piece;
  return MixBits(MixBits(place) ^ crc32c);
}

}  // namespace baton
