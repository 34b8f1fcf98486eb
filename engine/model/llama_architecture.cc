#include "engine/model/llama_architecture.h"

#include "base/status.h"
#include "engine/model/llama_weights.h"

namespace baton {

KvLayout LlamaArchitecture::Layout() const {
  KvLayout layout;
  layout.num_layers = config_.num_layers;
  layout.kv_heads = config_.kv_heads;
  layout.head_dim = config_.HeadDim();
  return layout;
}

std::vector<WeightSpec> LlamaArchitecture::Weights() const { return LlamaWeightSpecs(config_); }

absl::StatusOr<std::unique_ptr<const ModelWeights>> LlamaArchitecture::Bind(
    std::unique_ptr<const WeightSource> source, const BindOptions& options) const {
  BATON_ASSIGN_OR_RETURN(auto weights, BindLlamaWeights(config_, std::move(source), options));
  return std::unique_ptr<const ModelWeights>(std::move(weights));
}

}  // namespace baton
