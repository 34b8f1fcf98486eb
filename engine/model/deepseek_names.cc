#include "engine/model/deepseek_names.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

// Hands specs on until the visitor has enough.
class Teller {
 public:
  explicit Teller(WeightVisitor visit) : visit_(visit) {}

  void Tell(std::string name, std::vector<std::int64_t> shape) {
    if (!done_) done_ = !visit_({std::move(name), std::move(shape)});
  }
  void TellMlp(const std::string& prefix, std::int64_t inter, std::int64_t hidden) {
    Tell(prefix + "gate_proj.weight", {inter, hidden});
    Tell(prefix + "up_proj.weight", {inter, hidden});
    Tell(prefix + "down_proj.weight", {hidden, inter});
  }
  bool done() const { return done_; }

 private:
  const WeightVisitor visit_;
  bool done_ = false;
};

void TellAttention(const DeepseekConfig& config, int layer, Teller& teller) {
  const auto name = [layer](absl::string_view rest) {
    return LayerWeightName(layer, absl::StrCat("self_attn.", rest, ".weight"));
  };
  const std::int64_t query_rows = std::int64_t{config.num_heads} * config.QueryDim();
  if (config.q_lora_dim == 0) {
    teller.Tell(name("q_proj"), {query_rows, config.hidden});
  } else {
    teller.Tell(name("q_a_proj"), {config.q_lora_dim, config.hidden});
    teller.Tell(name("q_a_layernorm"), {config.q_lora_dim});
    teller.Tell(name("q_b_proj"), {query_rows, config.q_lora_dim});
  }
  teller.Tell(name("kv_a_proj_with_mqa"), {config.CacheDim(), config.hidden});
  teller.Tell(name("kv_a_layernorm"), {config.latent_dim});
  teller.Tell(name("kv_b_proj"), {std::int64_t{config.num_heads} * (config.nope_dim + config.v_dim),
                                  config.latent_dim});
  teller.Tell(name("o_proj"), {config.hidden, std::int64_t{config.num_heads} * config.v_dim});
}

void TellExperts(const DeepseekConfig& config, int layer, bool fused, Teller& teller) {
  teller.Tell(LayerWeightName(layer, "mlp.gate.weight"), {config.experts, config.hidden});
  if (config.gate == GateMethod::kNoAuxTc) {
    teller.Tell(LayerWeightName(layer, "mlp.gate.e_score_correction_bias"), {config.experts});
  }
  const std::string experts = LayerWeightName(layer, "mlp.experts.");
  if (fused) {
    teller.Tell(experts + "gate_up_proj",
                {config.experts, 2 * std::int64_t{config.expert_inter}, config.hidden});
    teller.Tell(experts + "down_proj", {config.experts, config.hidden, config.expert_inter});
  } else {
    for (int expert = 0; expert < config.experts && !teller.done(); ++expert) {
      teller.TellMlp(absl::StrCat(experts, expert, "."), config.expert_inter, config.hidden);
    }
  }
  if (config.shared_inter > 0) {
    teller.TellMlp(LayerWeightName(layer, "mlp.shared_experts."), config.shared_inter,
                   config.hidden);
  }
}

}  // namespace

bool HasFusedExperts(const WeightSource& source, const DeepseekConfig& config) {
  for (int layer = 0; layer < config.num_layers; ++layer) {
    if (!config.IsMoe(layer)) continue;
    return source.Find(LayerWeightName(layer, "mlp.experts.gate_up_proj")) != nullptr;
  }
  return false;
}

void VisitDeepseekWeights(const DeepseekConfig& config, bool fused_experts, WeightVisitor visit) {
  Teller teller(visit);
  teller.Tell("model.embed_tokens.weight", {config.vocab_size, config.hidden});
  for (int layer = 0; layer < config.num_layers && !teller.done(); ++layer) {
    teller.Tell(LayerWeightName(layer, "input_layernorm.weight"), {config.hidden});
    TellAttention(config, layer, teller);
    teller.Tell(LayerWeightName(layer, "post_attention_layernorm.weight"), {config.hidden});
    if (config.IsMoe(layer)) {
      TellExperts(config, layer, fused_experts, teller);
    } else {
      teller.TellMlp(LayerWeightName(layer, "mlp."), config.dense_inter, config.hidden);
    }
  }
  teller.Tell("model.norm.weight", {config.hidden});
  teller.Tell("lm_head.weight", {config.vocab_size, config.hidden});
}

std::vector<WeightSpec> DeepseekWeightSpecs(const DeepseekConfig& config) {
  std::vector<WeightSpec> specs;
  VisitDeepseekWeights(config, false, [&specs](const WeightSpec& spec) {
    specs.push_back(spec);
    return true;
  });
  return specs;
}

absl::Status CheckDeepseekWeights(const DeepseekConfig& config, const WeightSource& source) {
  const bool fused = HasFusedExperts(source, config);
  return CheckWeights([&](WeightVisitor visit) { VisitDeepseekWeights(config, fused, visit); },
                      source, {config.num_layers, config.prediction_layers});
}

}  // namespace baton
