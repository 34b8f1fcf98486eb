// Rotary tables: the cosine and sine of every position's angles, and the factor that YaRN puts on
// the softmax scale. Computed in double and kept in fp32, once at load: position times frequency
// in fp32 loses bits beyond 16 k.
//
// Source: YaRN (arXiv 2309.00071) as deepseek-ai/DeepSeek-V3 inference/model.py and the V2 remote
// code apply it; the two mscales have independent uses (see RopeTables).
#pragma once

#include <vector>

#include "engine/model/deepseek_config.h"

namespace baton {

/// Radians a position, of each of rope_dim / 2 pairs; stretched by the shape's scaling.
std::vector<double> RopeFrequencies(const ModelShape& shape);

struct RopeTables {
  std::vector<float>
      cos;  // [positions_max][rope_dim / 2], times YaRN's factor (g(mscale) / g(all_dim))
  std::vector<float> sin;  // like cos
};

/// Tables for the first `positions` positions.
RopeTables MakeRopeTables(const ModelShape& shape, int positions);

/// 1 / sqrt(nope_dim + rope_dim), times g(mscale_all_dim)^2 under YaRN.
double SoftmaxScale(const DeepseekConfig& config);

}  // namespace baton
