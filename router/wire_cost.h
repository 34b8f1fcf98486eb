// What a hand-off adds that computation does not hide, learnt from the reports of prefill workers:
// seconds a page, a moving mean over the fleet. One class of links for now: workers on one host.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace baton {

class WireCost {
 public:
  /// Seconds from the last layer to the acknowledged commit, for a hand-off whose pages left with
  /// `chunks` equal chunks of a prefill of `prefill_seconds`.
  /// Source: docs/routing.md, "exposed": the last unit, or what the wire is behind.
  double Exposed(double pages, double chunks, double prefill_seconds) const {
    const double wire = page_seconds_ * pages;
    const double hidden = prefill_seconds * (1 - 1 / chunks);
    return kFixedSeconds + std::max(wire / chunks, wire - hidden);
  }

  /// Learns from one report. Values that no clock can have given are ignored.
  void Observe(double exposed_seconds, double pages, double chunks) {
    if (!(exposed_seconds >= 0 && exposed_seconds < kSecondsMax) || !(pages >= 1) ||
        !(chunks >= 1)) {
      return;
    }
    const double sample = std::max(0.0, exposed_seconds - kFixedSeconds) / (pages / chunks);
    page_seconds_ += kWeight * (sample - page_seconds_);
  }

  double page_seconds() const { return page_seconds_; }

 private:
  static constexpr double kFixedSeconds = 1e-3;  // offer, commit: a few messages on one host
  static constexpr double kSecondsMax = 10;      // beyond it something failed; not the wire's rate
  static constexpr double kWeight = 0.05;

  double page_seconds_ = 20e-6;  // until reports come: 64 tokens of 61 bf16 layers at 200 GB/s
};

}  // namespace baton
