// Makes a failing run smaller: takes away kinds of faults, single blows and requests for as long as
// it still fails.
#pragma once

#include "tests/sim/sim_cluster.h"

namespace baton {

/// `options` fail. Returns options that fail as well, and from which nothing more can be taken.
SimOptions Shrink(SimOptions options);

}  // namespace baton
