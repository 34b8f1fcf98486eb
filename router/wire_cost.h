// What a hand-off adds that computation does not hide, learnt from the reports of prefill workers:
// seconds a page, a moving mean over the fleet for each of two classes of links: inside a domain of
// fast ones (a host, an NVLink island, a rack), and between two.
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
  double Exposed(double pages, double chunks, double prefill_seconds, bool near = true) const {
    const double wire = page_seconds(near) * pages;
    const double hidden = prefill_seconds * (1 - 1 / chunks);
    return kFixedSeconds + std::max(wire / chunks, wire - hidden);
  }

  /// Learns from one report. Values that no clock can have given are ignored.
  void Observe(double exposed_seconds, double pages, double chunks, bool near = true) {
    if (!(exposed_seconds >= 0 && exposed_seconds < kSecondsMax) || !(pages >= 1) ||
        !(chunks >= 1)) {
      return;
    }
    const double sample = std::max(0.0, exposed_seconds - kFixedSeconds) / (pages / chunks);
    double& known = near ? near_ : far_;
    if (!near && !far_seen_) known = sample;
    far_seen_ = far_seen_ || !near;
    known += kWeight * (sample - known);
  }

  /// Until a far hand-off was reported, the far wire is taken for a near one.
  double page_seconds(bool near) const { return near || !far_seen_ ? near_ : far_; }

  static constexpr double kFixedSeconds = 1e-3;  // offer, commit: a few messages on one host

 private:
  static constexpr double kSecondsMax = 10;  // beyond it something failed; not the wire's rate
  static constexpr double kWeight = 0.05;

  double near_ = 20e-6;  // until reports come: 64 tokens of 61 bf16 layers at 200 GB/s
  double far_ = 20e-6;
  bool far_seen_ = false;
};

}  // namespace baton
