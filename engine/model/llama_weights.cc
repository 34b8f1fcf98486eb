#include "engine/model/llama_weights.h"

#include <string>
#include <utility>

#include "base/status.h"

namespace baton {
namespace {

constexpr char kHead[] = "lm_head.weight";

class Binder {
 public:
  Binder(LlamaWeights& weights, const WeightSource& source, const BindOptions& options)
      : weights_(weights),
        source_(source),
        binder_(source, options.dtype, options.on_bytes, weights.converted) {}

  absl::Status Bind() {
    const LlamaConfig& config = weights_.config;
    std::vector<WeightSpec> specs = LlamaWeightSpecs(config);
    if (config.tied && source_.Find(kHead) != nullptr) {
      specs.push_back({kHead, {config.vocab_size, config.hidden}});
    }
    BATON_RETURN_IF_ERROR(CheckWeights(specs, source_));
    weights_.embed = Get("model.embed_tokens.weight");
    for (int layer = 0; layer < config.num_layers; ++layer) {
      weights_.layers.push_back(BindLayer(layer));
      BATON_RETURN_IF_ERROR(binder_.status());
    }
    weights_.norm = Get("model.norm.weight");
    weights_.head = config.tied ? weights_.embed : Get(kHead);
    return binder_.status();
  }

 private:
  LlamaLayer BindLayer(int layer) {
    const LlamaConfig& config = weights_.config;
    const std::string prefix = LayerWeightName(layer, "");
    const std::string attention = prefix + "self_attn.";
    LlamaLayer bound;
    bound.input_norm = Get(prefix + "input_layernorm.weight");
    bound.query = GetLinear(attention + "q_proj", config.qkv_bias);
    bound.key = GetLinear(attention + "k_proj", config.qkv_bias);
    bound.value = GetLinear(attention + "v_proj", config.qkv_bias);
    bound.out = GetLinear(attention + "o_proj", config.out_bias);
    if (config.qk_norm) {
      bound.query_norm = Get(attention + "q_norm.weight");
      bound.key_norm = Get(attention + "k_norm.weight");
    }
    bound.post_norm = Get(prefix + "post_attention_layernorm.weight");
    bound.mlp = {Get(prefix + "mlp.gate_proj.weight"), Get(prefix + "mlp.up_proj.weight"),
                 Get(prefix + "mlp.down_proj.weight")};
    return bound;
  }

  LinearWeights GetLinear(const std::string& prefix, bool bias) {
    return {Get(prefix + ".weight"), bias ? Get(prefix + ".bias") : nullptr};
  }

  const void* Get(const std::string& name) { return binder_.Get(name); }

  LlamaWeights& weights_;
  const WeightSource& source_;
  WeightBinder binder_;
};

class SpecList {
 public:
  void Add(std::string name, std::vector<std::int64_t> shape) {
    specs.push_back({std::move(name), std::move(shape)});
  }
  void AddLinear(const std::string& prefix, std::int64_t out, std::int64_t in, bool bias) {
    Add(prefix + ".weight", {out, in});
    if (bias) Add(prefix + ".bias", {out});
  }
  std::vector<WeightSpec> specs;
};

void AddLayer(const LlamaConfig& config, int layer, SpecList& list) {
  const std::string prefix = LayerWeightName(layer, "");
  const std::string attention = prefix + "self_attn.";
  const std::int64_t hidden = config.hidden;
  const std::int64_t heads = std::int64_t{config.num_heads} * config.HeadDim();
  const std::int64_t kv_heads = std::int64_t{config.kv_heads} * config.HeadDim();
  list.Add(prefix + "input_layernorm.weight", {hidden});
  list.AddLinear(attention + "q_proj", heads, hidden, config.qkv_bias);
  list.AddLinear(attention + "k_proj", kv_heads, hidden, config.qkv_bias);
  list.AddLinear(attention + "v_proj", kv_heads, hidden, config.qkv_bias);
  list.AddLinear(attention + "o_proj", hidden, heads, config.out_bias);
  if (config.qk_norm) {
    list.Add(attention + "q_norm.weight", {config.HeadDim()});
    list.Add(attention + "k_norm.weight", {config.HeadDim()});
  }
  list.Add(prefix + "post_attention_layernorm.weight", {hidden});
  list.Add(prefix + "mlp.gate_proj.weight", {config.inter, hidden});
  list.Add(prefix + "mlp.up_proj.weight", {config.inter, hidden});
  list.Add(prefix + "mlp.down_proj.weight", {hidden, config.inter});
}

}  // namespace

std::vector<WeightSpec> LlamaWeightSpecs(const LlamaConfig& config) {
  SpecList list;
  list.Add("model.embed_tokens.weight", {config.vocab_size, config.hidden});
  for (int layer = 0; layer < config.num_layers; ++layer) AddLayer(config, layer, list);
  list.Add("model.norm.weight", {config.hidden});
  if (!config.tied) list.Add(kHead, {config.vocab_size, config.hidden});
  return std::move(list.specs);
}

absl::StatusOr<std::unique_ptr<const LlamaWeights>> BindLlamaWeights(
    const LlamaConfig& config, std::unique_ptr<const WeightSource> source,
    const BindOptions& options) {
  auto weights = std::make_unique<LlamaWeights>();
  weights->config = config;
  weights->dtype = options.dtype;
  BATON_RETURN_IF_ERROR(Binder(*weights, *source, options).Bind());
  weights->rope = MakeRopeTables(config, options.positions);
  weights->source = std::move(source);
  return std::unique_ptr<const LlamaWeights>(std::move(weights));
}

}  // namespace baton
