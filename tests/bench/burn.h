// Loops that reach a machine's limits. Each is compiled for its level alone, so this header brings
// in nothing that could be instantiated there.
#pragma once

#include <cstdint>

namespace baton::bench {

/// Fused multiply-adds in registers; returns the operations done (two each).
double BurnFmaAvx2(int rounds);
double BurnFmaAvx512(int rounds);
/// Products of bf16 pairs in registers; four operations each.
double BurnPairsAvx512Bf16(int rounds);

/// A sum of `count` floats, a multiple of 64, 32-byte aligned.
float ReadAllAvx2(const float* from, std::int64_t count);

}  // namespace baton::bench
