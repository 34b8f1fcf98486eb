// Randomness that a process draws once, at start, and hands to its pure objects.
#pragma once

#include <cstdint>
#include <string>

namespace baton {

/// 64 bits of the system's randomness; never 0.
std::uint64_t RandomNonZero();

/// `bytes` random bytes.
std::string RandomBytes(std::size_t bytes);

}  // namespace baton
