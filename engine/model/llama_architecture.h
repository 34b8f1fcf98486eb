// The Llama-like families behind the seam: pages of heads, the table of their tensors, how they are
// bound.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/model/architecture.h"
#include "engine/model/llama_config.h"

namespace baton {

class LlamaArchitecture : public Architecture {
 public:
  explicit LlamaArchitecture(LlamaConfig config) : config_(std::move(config)) {}

  const ModelShape& shape() const override { return config_; }
  KvLayout Layout() const override;
  std::vector<WeightSpec> Weights() const override;
  absl::StatusOr<std::unique_ptr<const ModelWeights>> Bind(
      std::unique_ptr<const WeightSource> source, const BindOptions& options) const override;

 private:
  const LlamaConfig config_;
};

}  // namespace baton
