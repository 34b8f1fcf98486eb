// The figures of `baton bench relay`: spans of all requests over one wire, and what the hand-off
// costs beside that wire.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/relay_cluster.h"
#include "tests/testing/calibrate.h"

namespace baton::bench {

/// A hand-off's cost beside the wire may not be more, p50, on two cores.
inline constexpr double kBesideWireBarMs = 20;

struct WireFigures {
  std::string wire;
  double gb_per_s = 0;  // of `bench transfer` in the same run
  double admit_ms = 0;  // mean: Commit to the first step, on the decode worker's clock
  std::vector<RelaySample> samples;

  /// The value that `percent` of the requests stay within.
  double Percentile(RelaySpan span, double percent) const;
  double HandoffMs(double percent) const;
  /// Bytes of one hand-off at the wire's rate.
  double WireMs() const;
  double BesideWireMs(double percent) const { return HandoffMs(percent) - WireMs(); }
};

struct RelayFigures {
  std::string model;
  int prompt_tokens = 0;
  std::vector<WireFigures> wires;
  Calibration before;
  Calibration after;

  bool void_run() const { return DriftBetween(before, after) > kCalibrationDriftMax; }
  bool met() const;
};

void PrintRelayTable(const RelayFigures& figures);
void PrintRelayJson(const RelayFigures& figures);

}  // namespace baton::bench
