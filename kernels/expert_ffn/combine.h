// The last part of every vectorised expert_ffn: a token's sum over its experts' rows.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/common/elements.h"
#include "kernels/cpu/drivers.h"
#include "kernels/expert_ffn/expert_rows.h"

namespace baton {

/// out = sum of weight * down row, in the order of ids and never in that of arrival, + shared.
/// `down` is [places][down_stride].
inline void CombineExperts(const CpuLevel& level, const ExpertFfnParams& params,
                           const ExpertRows& rows, const float* down, std::int64_t down_stride,
                           Stream& stream) {
  stream.ForEach(params.tokens, [&](int worker, int item) {
    const std::int64_t token = item;
    float* sum = ScratchFloats(stream, worker, static_cast<std::size_t>(params.hidden));
    std::fill(sum, sum + params.hidden, 0.0F);
    for (std::int64_t pair = token * params.top_k; pair < (token + 1) * params.top_k; ++pair) {
      level.add_scaled(params.weights[pair], down + rows.place_of(pair) * down_stride, sum,
                       params.hidden);
    }
    const std::int64_t row = token * params.hidden;
    if (params.shared != nullptr) level.add_scaled(1.0F, params.shared + row, sum, params.hidden);
    level.narrow(sum, ElementAt(params.out, params.activation, row), params.activation,
                 params.hidden);
  });
}

}  // namespace baton
