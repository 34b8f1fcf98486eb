// What every family's config.json says, in our words. Plain values; a family adds its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace baton {

/// YaRN: how rotary frequencies are stretched beyond the length that the model was trained at.
/// Source: deepseek-ai/DeepSeek-V3 inference/model.py; the V2 remote code's YarnRotaryEmbedding.
struct YarnScaling {
  double factor = 1;
  int original_positions = 4096;
  double beta_fast = 32;
  double beta_slow = 1;
  double mscale = 1;
  double mscale_all_dim = 0;  // 0: the softmax scale is not corrected
  /// Of cosines and sines, instead of what the mscales say.
  std::optional<double> attention_factor = std::nullopt;
};

/// How Llama 3.1 and later reach beyond the length that they were trained at: slow pairs are
/// stretched, fast ones kept, those between blended.
/// Source: Llama 3.1's release, models/llama3/reference_impl/model.py (apply_scaling).
struct Llama3Scaling {
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  int original_positions = 8192;
};

struct ModelShape {
  int vocab_size = 0;
  int hidden = 0;
  int num_layers = 0;
  int num_heads = 0;

  int rope_dim = 0;  // of a head's rotary part; even
  double rope_theta = 10000;
  std::optional<YarnScaling> yarn;  // at most one of these two
  std::optional<Llama3Scaling> llama3;
  int positions_max = 0;
  float rms_epsilon = 1e-6F;

  TokenId bos = -1;                 // -1 = none
  std::vector<TokenId> end_tokens;  // ascending
  std::string stored_dtype = "bfloat16";
};

}  // namespace baton
