// The one table of a DeepSeek checkpoint's tensors: name and shape of each, from the configuration
// alone, and the check that a source holds these and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/model/deepseek_config.h"
#include "engine/model/weight_source.h"

namespace baton {

struct WeightSpec {
  std::string name;
  std::vector<std::int64_t> shape;  // [out, in] of a Linear
};

/// "model.layers.7.<rest>"
std::string LayerWeightName(int layer, absl::string_view rest);

/// True when `source` keeps all experts of a layer in one tensor, as transformers 5 may save them:
/// mlp.experts.gate_up_proj [experts, 2 * inter, hidden], mlp.experts.down_proj.
bool HasFusedExperts(const WeightSource& source, const DeepseekConfig& config);

/// Every tensor that the model reads, in the order of the layers.
std::vector<WeightSpec> WeightSpecsOf(const DeepseekConfig& config, bool fused_experts);

/// Errors: InvalidArgument with the first five names that are missing, misshapen or unused.
absl::Status CheckWeights(const std::vector<WeightSpec>& specs, const WeightSource& source);

}  // namespace baton
