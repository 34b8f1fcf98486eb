// Steps of a model, run as a worker runs them (its executor, its thread, its pages) and timed from
// launch to collection.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bounded_queue.h"
#include "engine/model.h"
#include "engine/model_executor.h"
#include "kvcache/kv_arena.h"
#include "tests/bench/step_cost.h"

namespace baton::bench {

class StepRig {
 public:
  /// Pages for `largest` of the sizes that will run, filled with random numbers, so that a context
  /// of any length is there without having been computed.
  /// Errors: those of ModelExecutor and KvArena. Lifetime: model and backend outlive it.
  static absl::StatusOr<std::unique_ptr<StepRig>> Open(const Model& model, const Backend& backend,
                                                       int threads,
                                                       const std::vector<StepSize>& sizes);

  /// Runs one step and gives its seconds. Each sequence has pages of its own; their order is
  /// shuffled. Errors: DeadlineExceeded after a minute, else the executor's.
  absl::StatusOr<double> Run(const StepSize& size);

 private:
  explicit StepRig(int vocab) : vocab_(vocab), ready_(1) {}
  Step MakeStep(const StepSize& size);

  const int vocab_;
  std::uint64_t next_number_ = 0;
  BoundedQueue<int> ready_;
  std::unique_ptr<KvArena> arena_;
  std::vector<PageId> pages_;  // shuffled
  std::unique_ptr<ModelExecutor> executor_;
};

}  // namespace baton::bench
