// Which levels this machine can run: bits of CPUID and of the operating system, never names of
// processors.
#pragma once

namespace baton {

/// AVX2, FMA and F16C, with their registers saved by the operating system.
bool HasAvx2();
/// AVX-512 F, BW, DQ and VL, and all of HasAvx2().
bool HasAvx512();

}  // namespace baton
