// The shape of a DeepSeek model: what its config.json says, in our words. Plain values; read by
// deepseek_json, or written down by recall_model.
#pragma once

#include "engine/model/model_shape.h"
#include "kernels/backend.h"

namespace baton {

struct DeepseekConfig : ModelShape {
  // Attention. One token's cache row is latent_dim + rope_dim numbers.
  int q_lora_dim = 0;  // 0: queries are projected straight from the hidden state
  int latent_dim = 0;
  int nope_dim = 0;
  int v_dim = 0;

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

  int prediction_layers = 0;  // of multi-token prediction, behind the last layer: not read

  bool IsMoe(int layer) const {
    return experts > 0 && layer >= first_moe_layer && layer % moe_layer_stride == 0;
  }
  int QueryDim() const { return nope_dim + rope_dim; }
  int CacheDim() const { return latent_dim + rope_dim; }
};

}  // namespace baton
