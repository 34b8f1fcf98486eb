#include <cmath>

#include "base/status.h"
#include "kernels/common/elements.h"
#include "kernels/rms_norm/rms_norm.h"

namespace baton {
namespace {

void AddToResidual(const RmsNormParams& params, int row) {
  const std::int64_t x = std::int64_t{row} * params.dim;
  const std::int64_t residual = row * params.ResidualStride();
  for (int i = 0; i < params.dim; ++i) {
    const float sum = LoadElement(params.residual, params.activation, residual + i) +
                      LoadElement(params.x, params.activation, x + i);
    StoreElement(params.residual, params.activation, residual + i, sum);
  }
}

void NormaliseRow(const RmsNormParams& params, int row) {
  const std::int64_t residual = row * params.ResidualStride();
  const std::int64_t out = row * params.OutStride();
  double squares = 0;
  for (int i = 0; i < params.dim; ++i) {
    const double value = LoadElement(params.residual, params.activation, residual + i);
    squares += value * value;
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(squares / params.dim + params.epsilon));
  for (int i = 0; i < params.dim; ++i) {
    const float value = LoadElement(params.residual, params.activation, residual + i);
    const float weight = LoadElement(params.weight, params.weight_dtype, i);
    StoreElement(params.out, params.activation, out + i, value * scale * weight);
  }
}

}  // namespace

absl::Status ReferenceRmsNorm(const RmsNormParams& params, Stream& stream) {
  BATON_RETURN_IF_ERROR(Check(params));
  stream.ParallelFor(params.rows, [&params](int first, int last) {
    for (int row = first; row < last; ++row) {
      if (params.x != nullptr) AddToResidual(params, row);
      NormaliseRow(params, row);
    }
  });
  return absl::OkStatus();
}

}  // namespace baton
