#include <cmath>
#include <vector>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/expert_ffn/expert_ffn.h"

namespace baton {
namespace {

// silu(gate x) * up x of one expert, as the activation's type keeps it.
std::vector<float> Inner(const ExpertFfnParams& params, std::int64_t token, int expert) {
  std::vector<float> inner;
  for (std::int64_t i = 0; i < params.inter; ++i) {
    double gate = 0;
    double up = 0;
    for (int h = 0; h < params.hidden; ++h) {
      const double x = LoadElement(params.x, params.activation, token * params.hidden + h);
      const std::int64_t at = i * params.hidden + h;
      gate += x * double{LoadElement(params.gate[expert], params.weight_dtype, at)};
      up += x * double{LoadElement(params.up[expert], params.weight_dtype, at)};
    }
    inner.push_back(
        RoundTo(params.activation, static_cast<float>(gate / (1.0 + std::exp(-gate)) * up)));
  }
  return inner;
}

void FfnToken(const ExpertFfnParams& params, std::int64_t token) {
  std::vector<double> sums(static_cast<std::size_t>(params.hidden), 0.0);
  for (int choice = 0; choice < params.top_k; ++choice) {
    const std::int64_t at = token * params.top_k + choice;
    const int expert = params.ids[at];
    const std::vector<float> inner = Inner(params, token, expert);
    for (std::int64_t h = 0; h < params.hidden; ++h) {
      double down = 0;
      for (int i = 0; i < params.inter; ++i) {
        const float weight =
            LoadElement(params.down[expert], params.weight_dtype, h * params.inter + i);
        down += double{inner[static_cast<std::size_t>(i)]} * double{weight};
      }
      sums[static_cast<std::size_t>(h)] += double{params.weights[at]} * down;
    }
  }
  for (int h = 0; h < params.hidden; ++h) {
    const std::int64_t at = token * params.hidden + h;
    double sum = sums[static_cast<std::size_t>(h)];
    if (params.shared != nullptr) sum += double{params.shared[at]};
    StoreElement(params.out, params.activation, at, static_cast<float>(sum));
  }
}

}  // namespace

absl::Status ReferenceExpertFfn(const ExpertFfnParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  stream.ParallelFor(params.tokens, [&params](int first, int last) {
    for (int token = first; token < last; ++token) FfnToken(params, token);
  });
  return absl::OkStatus();
}

}  // namespace baton
