// What leaf code is marked with. Leaves hold their accumulators in registers only when the calls
// around them disappear, whatever the compiler's own taste.
#pragma once

#define BATON_INLINE inline __attribute__((always_inline))
#define BATON_INLINE_LAMBDA __attribute__((always_inline))

#if defined(__clang__)
#define BATON_UNROLL _Pragma("unroll")
#else
#define BATON_UNROLL _Pragma("GCC unroll 16")
#endif
