// The shape of a DeepSeek model: what its config.json says, in our words. Plain values; read by
// config_json, or written down by recall_model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "kernels/backend.h"

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
};

struct DeepseekConfig {
  int vocab_size = 0;
  int hidden = 0;
  int num_layers = 0;
  int num_heads = 0;

  // Attention. One token's cache row is latent_dim + rope_dim numbers.
  int q_lora_dim = 0;  // 0: queries are projected straight from the hidden state
  int latent_dim = 0;
  int nope_dim = 0;
  int rope_dim = 0;
  int v_dim = 0;
  double rope_theta = 10000;
  std::optional<YarnScaling> yarn;
  int positions_max = 0;
  float rms_epsilon = 1e-6F;

  // Feed-forward. Layers below first_moe_layer, or not a multiple of moe_layer_stride, are dense.
  int dense_inter = 0;
  int experts = 0;  // 0: every layer is dense
  int expert_inter = 0;
  int shared_inter = 0;  // width of the one MLP that stands for all shared experts; 0 = none
  int top_k = 0;
  int first_moe_layer = 0;
  int moe_layer_stride = 1;
  GateMethod gate = GateMethod::kGreedy;
  int groups = 1;
  int top_k_groups = 1;
  bool normalize_weights = false;
  float routed_scaling = 1.0F;

  TokenId bos = -1;                 // -1 = none
  std::vector<TokenId> end_tokens;  // ascending
  std::string stored_dtype = "bfloat16";

  bool IsMoe(int layer) const {
    return experts > 0 && layer >= first_moe_layer && layer % moe_layer_stride == 0;
  }
  int QueryDim() const { return nope_dim + rope_dim; }
  int CacheDim() const { return latent_dim + rope_dim; }
};

}  // namespace baton
