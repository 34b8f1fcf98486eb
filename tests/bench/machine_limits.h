// What this machine can do, measured in the same run as what is compared with it: on a shared
// machine no absolute number means anything.
#pragma once

#include "absl/strings/string_view.h"
#include "kernels/stream.h"
#include "tests/bench/stopwatch.h"

namespace baton::bench {

struct MachineLimits {
  double gflops = 0;         // fused multiply-adds of a level, from registers, all threads
  double read_gb_per_s = 0;  // sequential reads from memory, all threads
};

/// Best of a few rounds. `isa` is a level of this machine; all threads of `stream` at once.
MachineLimits MeasureLimits(absl::string_view isa, Clock clock, Stream& stream);

}  // namespace baton::bench
