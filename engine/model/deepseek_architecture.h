// The DeepSeek family behind the seam: pages of latents, the table of its tensors, how they are
// bound.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/model/architecture.h"
#include "engine/model/deepseek_config.h"

namespace baton {

class DeepseekArchitecture : public Architecture {
 public:
  explicit DeepseekArchitecture(DeepseekConfig config) : config_(std::move(config)) {}

  const ModelShape& shape() const override { return config_; }
  KvLayout Layout() const override;
  std::vector<WeightSpec> Weights() const override;
  absl::StatusOr<std::unique_ptr<const ModelWeights>> Bind(
      std::unique_ptr<const WeightSource> source, const BindOptions& options) const override;

 private:
  const DeepseekConfig config_;
};

}  // namespace baton
