// A node's own clock: off from the world's by a constant, and a little too fast or too slow.
// Nothing that a node decides may depend on either.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace baton {

class SimClock {
 public:
  SimClock() = default;
  /// `origin`: when both clocks differ by `skew` alone. `ppm`: gained in a million parts.
  SimClock(Instant origin, Duration skew, std::int64_t ppm)
      : origin_(origin), skew_(skew), ppm_(ppm) {}

  Instant Local(Instant world) const {
    const Duration passed = world - origin_;
    return world + skew_ + Duration(passed.count() / kMillion * ppm_);
  }

  /// The first moment of the world at which Local is not before `local`, to a microsecond.
  Instant World(Instant local) const {
    if (local == kNever) return kNever;
    Instant world = local - skew_;
    world -= Local(world) - local;
    while (Local(world) < local) world += std::chrono::microseconds(1);
    return world;
  }

 private:
  static constexpr std::int64_t kMillion = 1'000'000;

  Instant origin_{};
  Duration skew_{};
  std::int64_t ppm_ = 0;
};

}  // namespace baton
