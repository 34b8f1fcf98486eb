#include "tests/bench/step_cost.h"

#include <cmath>

namespace baton::bench {
namespace {

constexpr double kBytesAnElement = 2;

// Parameters by how often a token meets them.
struct Parameters {
  double every_token = 0;  // of all layers, without the experts
  double one_expert = 0;
  double moe_layers = 0;
  double head = 0;  // a sampled row
};

Parameters ParametersOf(const DeepseekConfig& config) {
  const double hidden = config.hidden;
  const double heads = config.num_heads;
  const double query = heads * config.QueryDim();
  const double projected =
      config.q_lora_dim > 0 ? config.q_lora_dim * (hidden + query) : hidden * query;
  const double attention = projected + hidden * config.CacheDim() +
                           heads * config.latent_dim * (config.nope_dim + config.v_dim) +
                           heads * config.v_dim * hidden;
  Parameters parameters;
  parameters.one_expert = 3 * hidden * config.expert_inter;
  parameters.head = hidden * config.vocab_size;
  for (int layer = 0; layer < config.num_layers; ++layer) {
    const bool moe = config.IsMoe(layer);
    parameters.moe_layers += moe ? 1 : 0;
    parameters.every_token += attention +
                              3 * hidden * (moe ? config.shared_inter : config.dense_inter) +
                              (moe ? hidden * config.experts : 0);
  }
  return parameters;
}

}  // namespace

Cost StepCost(const DeepseekConfig& config, const StepSize& size) {
  const Parameters parameters = ParametersOf(config);
  const double tokens = static_cast<double>(size.sequences) * size.rows;
  const double untouched =
      config.experts > 0 ? std::pow(1.0 - 1.0 * config.top_k / config.experts, tokens) : 0;
  const double experts = config.experts * (1 - untouched);
  const double length = size.context + size.rows;
  // Rows that the queries of one sequence see: each one more than the one before it.
  const double seen = size.rows * (size.context + (size.rows + 1) / 2.0);
  Cost cost;
  cost.bytes = kBytesAnElement * (parameters.every_token + parameters.head +
                                  parameters.moe_layers * experts * parameters.one_expert +
                                  config.num_layers * size.sequences * length * config.CacheDim());
  cost.flops = 2 * (tokens * (parameters.every_token +
                              parameters.moe_layers * config.top_k * parameters.one_expert) +
                    size.sequences * parameters.head) +
               2.0 * config.num_layers * config.num_heads *
                   (config.latent_dim + config.CacheDim()) * size.sequences * seen;
  return cost;
}

}  // namespace baton::bench
