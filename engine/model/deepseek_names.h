// The one table of a DeepSeek checkpoint's tensors: name and shape of each, from the configuration
// alone.
//
// Source: deepseek-ai/DeepSeek-V3 inference/convert.py, README_WEIGHTS.md; the V2 remote code.
#pragma once

#include <vector>

#include "engine/model/deepseek_config.h"
#include "engine/model/weight_names.h"

namespace baton {

/// True when `source` keeps all experts of a layer in one tensor, as transformers 5 may save them:
/// mlp.experts.gate_up_proj [experts, 2 * inter, hidden], mlp.experts.down_proj.
bool HasFusedExperts(const WeightSource& source, const DeepseekConfig& config);

/// Tells `visit` every tensor that the model reads, as a WeightTable does.
void VisitDeepseekWeights(const DeepseekConfig& config, bool fused_experts, WeightVisitor visit);

/// Every tensor of the table, in order, with one tensor an expert and projection.
std::vector<WeightSpec> DeepseekWeightSpecs(const DeepseekConfig& config);

/// Errors: InvalidArgument with the first five names that are missing, misshapen or unused.
absl::Status CheckDeepseekWeights(const DeepseekConfig& config, const WeightSource& source);

}  // namespace baton
