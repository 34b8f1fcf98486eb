// A model that is written down, not trained: four layers of DeepSeek-V2 attention that repeat their
// prompt byte by byte. Its answer depends on every page of keys and values, so a page that was lost
// or belongs to another prompt shows as a wrong answer.
//
// Layer 0: eight heads look 1..8 bytes back and copy that byte's code into slot 1..8.
// Layers 1-3: an induction head matches "my last 8 bytes" with "the 8 bytes before n", reads byte n
//   and writes a third of the output code each; the output head is the codes.
// Heads and latents that the construction leaves unused carry seeded noise: without it damage to
// layer 0 would be invisible.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/model/deepseek_config.h"
#include "engine/model/memory_weights.h"

namespace baton {

/// The vocabulary: bytes 0..255, then these two.
inline constexpr TokenId kRecallBos = 256;
inline constexpr TokenId kRecallEos = 257;

struct RecallModel {
  DeepseekConfig config;
  std::unique_ptr<MemoryWeights> weights;
};

/// "builtin:recall": V2-Lite's attention (16 heads, v 128, latent 512), 12.9 M parameters.
/// "builtin:recall-nano": 8 heads, v 32, latent 192, 2.6 M, for tests. The same bytes on every run.
/// Errors: NotFound for another name; the message lists those there are.
absl::StatusOr<RecallModel> MakeRecallModel(absl::string_view name);

}  // namespace baton
