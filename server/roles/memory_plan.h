// What a worker's memory goes to, known before it loads: weights, pages, and so the tokens that
// fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "config/config.h"

namespace baton {

struct MemoryPlan {
  std::size_t weight_bytes = 0;
  std::uint32_t pages = 0;
  int page_tokens = 0;
  std::size_t page_bytes = 0;  // of one page, all layers
  std::size_t machine_bytes =
      0;  // what this process may use: the cgroup's limit where there is one
};

/// Of one worker. Pages are as many as the knob says; 0 = a quarter of the machine's memory.
/// Errors: as LoadModel; ResourceExhausted when the pages do not fit the machine.
absl::StatusOr<MemoryPlan> PlanMemory(const Config& config);

/// "weights 1.00 GiB, 4096 pages of 64 tokens 2.00 GiB: 262144 tokens fit, of 16.00 GiB here"
std::string Describe(const MemoryPlan& plan);

}  // namespace baton
