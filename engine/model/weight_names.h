// What every family's table of tensors has in common: how a table is told, and the check that a
// source holds these tensors and nothing else. The tables are deepseek_names and its like.
//
// A table is told one tensor at a time and never kept whole: a hostile config.json may describe
// more tensors than memory holds, and then the first few that are missing end the check.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/model/weight_source.h"

namespace baton {

struct WeightSpec {
  std::string name;
  std::vector<std::int64_t> shape;  // [out, in] of a Linear
};

/// Told each tensor once, in the order of the layers; returns false to hear no more.
using WeightVisitor = absl::FunctionRef<bool(const WeightSpec&)>;

/// Tells a visitor every tensor that a model reads; returns at once when the visitor has enough.
using WeightTable = absl::FunctionRef<void(WeightVisitor)>;

/// Layers that a checkpoint carries and no forward pass of ours reads (multi-token prediction).
struct SkippedLayers {
  int first = 0;
  int count = 0;
};

/// "model.layers.7.<rest>"
std::string LayerWeightName(int layer, absl::string_view rest);

/// The block scales of an F8_E4M3 tensor: its name and shape, [ceil(out / 128), ceil(in / 128)],
/// with any dimensions before these two kept.
/// Source: deepseek-ai/DeepSeek-V3 README_WEIGHTS.md.
WeightSpec ScaleSpecOf(const WeightSpec& weight);

/// A tensor of `table` that is stored as F8_E4M3 must have its scales beside it.
/// Errors: InvalidArgument with the first five names that are missing, misshapen or unused.
absl::Status CheckWeights(WeightTable table, const WeightSource& source,
                          SkippedLayers skipped = {});

/// The same for a table that is small whatever a config.json says.
absl::Status CheckWeights(const std::vector<WeightSpec>& specs, const WeightSource& source);

}  // namespace baton
