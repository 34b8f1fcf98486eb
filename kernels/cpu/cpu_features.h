// Which levels this machine can run: bits of CPUID and of the operating system, never names of
// processors.
#pragma once

namespace baton {

/// AVX2, FMA and F16C, with their registers saved by the operating system.
bool HasAvx2();
/// AVX-512 F, BW, DQ and VL, and all of HasAvx2().
bool HasAvx512();
/// Products of bf16 pairs, and all of HasAvx512().
bool HasAvx512Bf16();

}  // namespace baton
