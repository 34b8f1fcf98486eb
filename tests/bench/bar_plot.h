// A bar chart as SVG, written by the benches themselves: a figure a bar, its spread as a thin line.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace baton::bench {

struct Bar {
  std::string name;
  double value = 0;
  double least = 0;  // of the rounds
  double most = 0;
};

struct BarPlot {
  std::string title;
  std::string unit;  // behind each value
  std::vector<Bar> bars;

  /// Bars from zero, all to one scale. Names are escaped.
  std::string Svg() const;

  /// Errors: Unavailable when the file cannot be written.
  absl::Status WriteTo(const std::string& file) const;
};

}  // namespace baton::bench
