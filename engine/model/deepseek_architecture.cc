#include "engine/model/deepseek_architecture.h"

#include "base/status.h"
#include "engine/model/deepseek_names.h"
#include "engine/model/deepseek_weights.h"

namespace baton {

KvLayout DeepseekArchitecture::Layout() const {
  KvLayout layout;
  layout.num_layers = config_.num_layers;
  layout.latent_dim = config_.latent_dim;
  layout.rope_dim = config_.rope_dim;
  return layout;
}

std::vector<WeightSpec> DeepseekArchitecture::Weights() const {
  return DeepseekWeightSpecs(config_);
}

absl::StatusOr<std::unique_ptr<const ModelWeights>> DeepseekArchitecture::Bind(
    std::unique_ptr<const WeightSource> source, const BindOptions& options) const {
  DeepseekConfig config = config_;
  config.positions_max = options.positions;
  BATON_ASSIGN_OR_RETURN(auto weights, BindDeepseekWeights(config, options.dtype, std::move(source),
                                                           options.on_bytes));
  return std::unique_ptr<const ModelWeights>(std::move(weights));
}

}  // namespace baton
