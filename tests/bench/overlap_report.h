// The figures of `baton bench overlap`: what of a hand-off shows when the prompt is computed, with
// overlap and without, over one wire.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/paced_sender.h"
#include "tests/testing/calibrate.h"

namespace baton::bench {

inline constexpr double kExposedShareBar = 0.15;  // of the whole time on the wire, from 4 chunks on
inline constexpr int kExposedShareChunks = 4;
inline constexpr double kExposedGroupsBar = 2;   // transfers of a group of layers, and
inline constexpr double kExposedBesideMs = 1;    // so much
inline constexpr double kWithoutOverlapBar = 5;  // times the exposed time with it

/// One wire; milliseconds, one value a round.
struct OverlapFigures {
  std::string wire;
  std::vector<double> exposed;          // with overlap
  std::vector<double> exposed_without;  // everything goes when the prompt is computed

  double Exposed() const;
  /// The whole time on the wire: all bytes at once, to the acknowledged commit.
  double Whole() const;
  double GroupMs(const OverlapShape& shape) const;
  double BoundMs(const OverlapShape& shape) const {
    return kExposedGroupsBar * GroupMs(shape) + kExposedBesideMs;
  }
  bool met(const OverlapShape& shape) const;
};

struct OverlapRun {
  OverlapShape shape;
  std::vector<OverlapFigures> wires;
  Calibration before;
  Calibration after;

  bool void_run() const { return DriftBetween(before, after) > kCalibrationDriftMax; }
  bool met() const;
};

void PrintOverlapTable(const OverlapRun& run);
void PrintOverlapJson(const OverlapRun& run);

}  // namespace baton::bench
