#include "engine/model/deepseek_weights.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "engine/model/deepseek_names.h"
#include "kernels/common/elements.h"

namespace baton {
namespace {

class Binder {
 public:
  Binder(DeepseekWeights& weights, const WeightSource& source,
         const std::function<void(std::size_t)>& on_bytes)
      : weights_(weights),
        source_(source),
        binder_(source, weights.dtype, on_bytes, weights.converted) {}

  absl::Status Bind() {
    const DeepseekConfig& config = weights_.config;
    fused_ = HasFusedExperts(source_, config);
    BATON_RETURN_IF_ERROR(CheckDeepseekWeights(config, source_));
    weights_.embed = Get("model.embed_tokens.weight");
    for (int layer = 0; layer < config.num_layers; ++layer) {
      weights_.layers.push_back(BindLayer(layer));
      BATON_RETURN_IF_ERROR(binder_.status());
    }
    weights_.norm = Get("model.norm.weight");
    weights_.head = Get("lm_head.weight");
    return binder_.status();
  }

 private:
  DeepseekLayer BindLayer(int layer) {
    const DeepseekConfig& config = weights_.config;
    const auto get = [this, layer](absl::string_view rest) {
      return Get(LayerWeightName(layer, absl::StrCat(rest, ".weight")));
    };
    DeepseekLayer bound;
    bound.input_norm = get("input_layernorm");
    if (config.q_lora_dim == 0) {
      bound.query = get("self_attn.q_proj");
    } else {
      bound.query_a = get("self_attn.q_a_proj");
      bound.query_a_norm = get("self_attn.q_a_layernorm");
      bound.query_b = get("self_attn.q_b_proj");
    }
    bound.kv_a = get("self_attn.kv_a_proj_with_mqa");
    bound.kv_a_norm = get("self_attn.kv_a_layernorm");
    BindKvB(get("self_attn.kv_b_proj"), bound);
    bound.out = get("self_attn.o_proj");
    bound.post_norm = get("post_attention_layernorm");
    if (config.IsMoe(layer)) {
      BindMoe(layer, bound);
    } else {
      bound.mlp = GetMlp(LayerWeightName(layer, "mlp."));
    }
    return bound;
  }

  // kv_b holds, a head, nope rows that make keys of a latent and v rows that make values. Absorbed
  // MLA multiplies queries with the keys' rows from the other side: transposed once, here.
  void BindKvB(const void* kv_b, DeepseekLayer& bound) {
    const DeepseekConfig& config = weights_.config;
    const std::int64_t nope = config.nope_dim;
    const std::int64_t latent = config.latent_dim;
    const std::int64_t head_rows = nope + config.v_dim;
    std::byte* transposed = binder_.Allocate(config.num_heads * latent * nope);
    if (transposed == nullptr || kv_b == nullptr) return;
    for (std::int64_t head = 0; head < config.num_heads; ++head) {
      for (std::int64_t row = 0; row < nope; ++row) {
        for (std::int64_t col = 0; col < latent; ++col) {
          const float value =
              LoadElement(kv_b, weights_.dtype, (head * head_rows + row) * latent + col);
          StoreElement(transposed, weights_.dtype, (head * latent + col) * nope + row, value);
        }
      }
    }
    bound.key_up_transposed = transposed;
    bound.value_up = ElementAt(kv_b, weights_.dtype, nope * latent);
  }

  void BindMoe(int layer, DeepseekLayer& bound) {
    const DeepseekConfig& config = weights_.config;
    bound.router = Get(LayerWeightName(layer, "mlp.gate.weight"));
    if (config.gate == GateMethod::kNoAuxTc) {
      bound.router_bias =
          binder_.GetFloats(LayerWeightName(layer, "mlp.gate.e_score_correction_bias"));
    }
    const std::string prefix = LayerWeightName(layer, "mlp.experts.");
    const std::int64_t half = std::int64_t{config.expert_inter} * config.hidden;
    const void* gate_up = fused_ ? Get(prefix + "gate_up_proj") : nullptr;
    const void* down = fused_ ? Get(prefix + "down_proj") : nullptr;
    for (int expert = 0; expert < config.experts && binder_.status().ok(); ++expert) {
      MlpWeights mlp;
      if (fused_) {
        mlp.gate = ElementAt(gate_up, weights_.dtype, 2 * half * expert);
        mlp.up = ElementAt(gate_up, weights_.dtype, 2 * half * expert + half);
        mlp.down = ElementAt(down, weights_.dtype, half * expert);
      } else {
        mlp = GetMlp(absl::StrCat(prefix, expert, "."));
      }
      bound.expert_gate.push_back(mlp.gate);
      bound.expert_up.push_back(mlp.up);
      bound.expert_down.push_back(mlp.down);
    }
    if (config.shared_inter > 0) {
      bound.mlp = GetMlp(LayerWeightName(layer, "mlp.shared_experts."));
    }
  }

  MlpWeights GetMlp(const std::string& prefix) {
    return {Get(prefix + "gate_proj.weight"), Get(prefix + "up_proj.weight"),
            Get(prefix + "down_proj.weight")};
  }

  const void* Get(const std::string& name) { return binder_.Get(name); }

  DeepseekWeights& weights_;
  const WeightSource& source_;
  WeightBinder binder_;
  bool fused_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<const DeepseekWeights>> BindDeepseekWeights(
    const DeepseekConfig& config, DType dtype, std::unique_ptr<const WeightSource> source,
    const std::function<void(std::size_t)>& on_bytes) {
  auto weights = std::make_unique<DeepseekWeights>();
  weights->config = config;
  weights->dtype = dtype;
  BATON_RETURN_IF_ERROR(Binder(*weights, *source, on_bytes).Bind());
  weights->rope = MakeRopeTables(config, config.positions_max);
  weights->softmax_scale = static_cast<float>(SoftmaxScale(config));
  weights->source = std::move(source);
  return std::unique_ptr<const DeepseekWeights>(std::move(weights));
}

}  // namespace baton
