// The order that every selection uses: larger value first, equal values by lower index, NaN last.
// Total on (value, index), so the chosen set never depends on the order in which values are seen.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace baton {

struct RankedValue {
  float value = 0;
  std::int32_t index = 0;
};

/// Does `a` come before `b`?
inline bool RanksBefore(const RankedValue& a, const RankedValue& b) {
  const bool a_nan = a.value != a.value;
  const bool b_nan = b.value != b.value;
  if (a_nan != b_nan) return b_nan;
  if (!a_nan && a.value != b.value) return a.value > b.value;
  return a.index < b.index;
}

/// The best best.size() of `values`, best first. best.size() <= values.size().
inline void TopK(std::span<const float> values, std::span<RankedValue> best) {
  std::size_t held = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const RankedValue candidate{values[i], static_cast<std::int32_t>(i)};
    if (held == best.size() && (held == 0 || !RanksBefore(candidate, best[held - 1]))) continue;
    if (held < best.size()) ++held;
    const auto end = best.begin() + static_cast<std::ptrdiff_t>(held) - 1;
    const auto place = std::upper_bound(best.begin(), end, candidate, RanksBefore);
    std::move_backward(place, end, end + 1);
    *place = candidate;
  }
}

}  // namespace baton
