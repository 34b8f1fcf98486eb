// What a step of a DeepSeek model must read and multiply at best, from its shape: the floor that a
// measured step is held against.
#pragma once

#include "engine/model/deepseek_config.h"
#include "kernels/common/cost.h"

namespace baton::bench {

/// `sequences` of equal length, each with `rows` new tokens after `context` cached ones; the last
/// row of each is sampled. Weights and pages are 16 bits wide.
struct StepSize {
  int sequences = 1;
  int rows = 1;
  int context = 0;
};

/// Bytes: every dense weight once, the expected number of experts touched where routing is uniform,
/// experts * (1 - (1 - top_k / experts)^tokens), and each visible row of the cache once a sequence.
/// Flops: two a multiplication, attention in the absorbed form (2 * heads * (2 * latent + rope) a
/// visible row and query).
Cost StepCost(const DeepseekConfig& config, const StepSize& size);

}  // namespace baton::bench
