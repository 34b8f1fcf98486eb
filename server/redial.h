// When to dial a router again: at once at first, then after waits that double up to a bound, each
// drawn from the upper half of its range, so that a fleet does not come back in one instant.
//
// Pure: time and randomness are arguments.
#pragma once

#include <algorithm>
#include <random>

#include "base/time.h"
#include "server/link_limits.h"

namespace baton {

class Redial {
 public:
  explicit Redial(Instant now) : next_(now) {}

  Instant next() const { return next_; }

  /// An attempt, or a link that was up for `lived`, ended at `now`. Only a link that has lived a
  /// while begins anew at the shortest wait: one that is refused each time must not storm.
  void OnEnded(Instant now, Duration lived, std::mt19937_64& random) {
    if (lived >= kLinkRedialMax) wait_ = kLinkRedialMin;
    std::uniform_real_distribution<double> share(0.5, 1.0);
    next_ = now + std::chrono::duration_cast<Duration>(wait_ * share(random));
    wait_ = std::min<Duration>(wait_ * 2, kLinkRedialMax);
  }

 private:
  Instant next_;
  Duration wait_ = kLinkRedialMin;
};

}  // namespace baton
