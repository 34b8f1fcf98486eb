// Sums of many runs, in words; and the line that replays one.
#pragma once

#include <string>

#include "tests/sim/sim_cluster.h"

namespace baton {

/// Adds what the simulation follows of one worker's counts to `sum`.
void AddInbound(const InboundStats& counts, InboundStats& sum);

/// Adds what `report` counts to `sum`.
void AddReport(const SimReport& report, SimReport& sum);

/// Requests that ended with an error of the cluster's, not of their client's.
int FailedOf(const SimReport& report);

/// Several lines: what came of the requests, and what it took.
std::string TextOf(const SimReport& sum, int seeds, double cpu_seconds);

/// "sim_test --seed=..." for these options, then what broke and what came before.
std::string Replay(const SimOptions& options, const SimReport& report);

}  // namespace baton
