// Made-up weights for benchmarks: right in shape, meaningless in content, the same on every
// machine.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/model/memory_weights.h"
#include "engine/model/weight_names.h"

namespace baton {

/// Element i of tensor T is Philox(key = first 64 bits of SHA-256(name of T), counter = i), uniform
/// within +-sqrt(3 / fan_in); norms are 1, biases 0.
/// Errors: ResourceExhausted when the machine has not the memory.
absl::StatusOr<std::unique_ptr<MemoryWeights>> MakeDummyWeights(
    const std::vector<WeightSpec>& specs);

}  // namespace baton
