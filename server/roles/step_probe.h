// How long a step takes here, measured before the first request: the prior of a worker's fitted
// step time. Without it a worker that has computed nothing looks faster or slower than its peers,
// and routing follows the illusion.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "engine/executor.h"
#include "scheduling/step_time.h"

namespace baton {

/// Runs a few steps of `tokens` tokens and of one token on page 0, which nobody uses yet; the
/// quickest of each count. `wait` blocks until the executor rings or its own deadline has passed.
/// Errors: those of the executor; DeadlineExceeded when a step does not end.
absl::StatusOr<StepCost> ProbeStepCost(Executor& executor, int tokens,
                                       const std::function<bool()>& wait);

}  // namespace baton
