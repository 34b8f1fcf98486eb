#include "engine/model/weight_names.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.h"

namespace baton {
namespace {

constexpr std::size_t kNamesShown = 5;

class SpecList {
 public:
  void Add(std::string name, std::vector<std::int64_t> shape) {
    specs_.push_back({std::move(name), std::move(shape)});
  }
  void AddMlp(const std::string& prefix, std::int64_t inter, std::int64_t hidden) {
    Add(prefix + "gate_proj.weight", {inter, hidden});
    Add(prefix + "up_proj.weight", {inter, hidden});
    Add(prefix + "down_proj.weight", {hidden, inter});
  }
  std::vector<WeightSpec> Take() { return std::move(specs_); }

 private:
  std::vector<WeightSpec> specs_;
};

void AddAttention(const DeepseekConfig& config, int layer, SpecList& list) {
  const auto name = [layer](absl::string_view rest) {
    return LayerWeightName(layer, absl::StrCat("self_attn.", rest, ".weight"));
  };
  const std::int64_t query_rows = std::int64_t{config.num_heads} * config.QueryDim();
  if (config.q_lora_dim == 0) {
    list.Add(name("q_proj"), {query_rows, config.hidden});
  } else {
    list.Add(name("q_a_proj"), {config.q_lora_dim, config.hidden});
    list.Add(name("q_a_layernorm"), {config.q_lora_dim});
    list.Add(name("q_b_proj"), {query_rows, config.q_lora_dim});
  }
  list.Add(name("kv_a_proj_with_mqa"), {config.CacheDim(), config.hidden});
  list.Add(name("kv_a_layernorm"), {config.latent_dim});
  list.Add(name("kv_b_proj"),
           {std::int64_t{config.num_heads} * (config.nope_dim + config.v_dim), config.latent_dim});
  list.Add(name("o_proj"), {config.hidden, std::int64_t{config.num_heads} * config.v_dim});
}

void AddExperts(const DeepseekConfig& config, int layer, bool fused, SpecList& list) {
  list.Add(LayerWeightName(layer, "mlp.gate.weight"), {config.experts, config.hidden});
  const std::string experts = LayerWeightName(layer, "mlp.experts.");
  if (fused) {
    list.Add(experts + "gate_up_proj",
             {config.experts, 2 * std::int64_t{config.expert_inter}, config.hidden});
    list.Add(experts + "down_proj", {config.experts, config.hidden, config.expert_inter});
  } else {
    for (int expert = 0; expert < config.experts; ++expert) {
      list.AddMlp(absl::StrCat(experts, expert, "."), config.expert_inter, config.hidden);
    }
  }
  if (config.shared_inter > 0) {
    list.AddMlp(LayerWeightName(layer, "mlp.shared_experts."), config.shared_inter, config.hidden);
  }
}

// Tables that older checkpoints carry along although they follow from the configuration.
bool SkippedByRule(absl::string_view name) { return absl::EndsWith(name, ".rotary_emb.inv_freq"); }

absl::Status Named(absl::string_view what, const std::vector<std::string>& names) {
  if (names.empty()) return absl::OkStatus();
  const std::size_t shown = std::min(names.size(), kNamesShown);
  return absl::InvalidArgumentError(absl::StrCat(
      names.size(), " tensors are ", what, ": ",
      absl::StrJoin(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
      names.size() > shown ? ", ..." : ""));
}

std::string ShapeText(const std::vector<std::int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

}  // namespace

std::string LayerWeightName(int layer, absl::string_view rest) {
  return absl::StrCat("model.layers.", layer, ".", rest);
}

bool HasFusedExperts(const WeightSource& source, const DeepseekConfig& config) {
  for (int layer = 0; layer < config.num_layers; ++layer) {
    if (!config.IsMoe(layer)) continue;
    return source.Find(LayerWeightName(layer, "mlp.experts.gate_up_proj")) != nullptr;
  }
  return false;
}

std::vector<WeightSpec> WeightSpecsOf(const DeepseekConfig& config, bool fused_experts) {
  SpecList list;
  list.Add("model.embed_tokens.weight", {config.vocab_size, config.hidden});
  for (int layer = 0; layer < config.num_layers; ++layer) {
    list.Add(LayerWeightName(layer, "input_layernorm.weight"), {config.hidden});
    AddAttention(config, layer, list);
    list.Add(LayerWeightName(layer, "post_attention_layernorm.weight"), {config.hidden});
    if (config.IsMoe(layer)) {
      AddExperts(config, layer, fused_experts, list);
    } else {
      list.AddMlp(LayerWeightName(layer, "mlp."), config.dense_inter, config.hidden);
    }
  }
  list.Add("model.norm.weight", {config.hidden});
  list.Add("lm_head.weight", {config.vocab_size, config.hidden});
  return list.Take();
}

absl::Status CheckWeights(const std::vector<WeightSpec>& specs, const WeightSource& source) {
  std::vector<std::string> missing;
  std::vector<std::string> misshapen;
  std::set<std::string> wanted;
  for (const WeightSpec& spec : specs) {
    wanted.insert(spec.name);
    const StoredTensor* tensor = source.Find(spec.name);
    if (tensor == nullptr) {
      missing.push_back(spec.name);
    } else if (tensor->shape != spec.shape) {
      misshapen.push_back(absl::StrCat(spec.name, " (shape ", ShapeText(tensor->shape), ", needed ",
                                       ShapeText(spec.shape), ")"));
    }
  }
  BATON_RETURN_IF_ERROR(Named("missing", missing));
  BATON_RETURN_IF_ERROR(Named("misshapen", misshapen));
  std::vector<std::string> unused;
  for (std::string& name : source.Names()) {
    if (!wanted.contains(name) && !SkippedByRule(name)) unused.push_back(std::move(name));
  }
  return Named("unused by this architecture", unused);
}

}  // namespace baton
