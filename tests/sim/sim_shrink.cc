#include "tests/sim/sim_shrink.h"

#include "tests/sim/sim_faults.h"

namespace baton {
namespace {

bool Fails(const SimOptions& options) { return !SimCluster(options).Run().violations.empty(); }

/// Keeps `smaller` in place of `options` where it still fails.
bool Keep(const SimOptions& smaller, SimOptions& options) {
  if (!Fails(smaller)) return false;
  options = smaller;
  return true;
}

bool TakeKinds(SimOptions& options) {
  bool taken = false;
  for (std::size_t i = 0; i < kFaults; ++i) {
    SimOptions smaller = options;
    smaller.without |= std::uint64_t{1} << i;
    if (smaller.without != options.without) taken |= Keep(smaller, options);
  }
  return taken;
}

bool TakeBlows(SimOptions& options) {
  bool taken = false;
  for (unsigned i = 0; i < kBlowsMax; ++i) {
    SimOptions smaller = options;
    smaller.blows &= ~(std::uint64_t{1} << i);
    if (smaller.blows != options.blows) taken |= Keep(smaller, options);
  }
  return taken;
}

bool TakeRequests(SimOptions& options) {
  for (int part = 2; part <= 16; part *= 2) {
    SimOptions smaller = options;
    smaller.requests -= (options.requests + part - 1) / part;
    if (smaller.requests >= 1 && smaller.requests < options.requests && Keep(smaller, options)) {
      return true;
    }
  }
  return false;
}

}  // namespace

SimOptions Shrink(SimOptions options) {
  for (bool smaller = true; smaller;) {
    const bool kinds = TakeKinds(options);
    const bool blows = TakeBlows(options);
    smaller = TakeRequests(options) || kinds || blows;
  }
  return options;
}

}  // namespace baton
