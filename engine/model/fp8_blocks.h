// Weights kept as F8_E4M3 in blocks of 128 x 128 that share one scale: widened once, at load. The
// stored scale multiplies, despite its name weight_scale_inv.
//
// Source: deepseek-ai/DeepSeek-V3 README_WEIGHTS.md, inference/kernel.py (weight_dequant).
#pragma once

#include <cstdint>
#include <span>

#include "base/dtype.h"

namespace baton {

/// `out`[rows][cols] of `dtype` = `values`[rows][cols] * `scales`[ceil(rows / 128)][ceil(cols /
/// 128)]; blocks at the right and lower edges are short. The product is exact in double, rounded
/// once to bf16 whatever `dtype` is, so that every type computes with the same weights.
void WidenFp8Blocks(std::span<const std::byte> values, std::span<const float> scales,
                    std::int64_t rows, std::int64_t cols, DType dtype, void* out);

}  // namespace baton
