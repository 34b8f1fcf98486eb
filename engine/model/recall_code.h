// The byte codes of the recall model: the 256 words of the Nordstrom-Robinson code as vectors of
// +1 and -1. Any two differ in at least 6 of 16 places, so the inner product of two bytes' codes is
// at most 4 against 16 of a byte with itself.
#pragma once

#include <array>

namespace baton {

inline constexpr int kRecallCodeBits = 16;

/// Source: Forney, Sloane, Trott 1993: the Nordstrom-Robinson code is the octacode over Z4 under
/// the Gray map. `byte` is in [0, 256): its four base-4 digits, high one first, are the message.
std::array<int, kRecallCodeBits> RecallCode(int byte);

}  // namespace baton
