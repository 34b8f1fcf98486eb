// The executor that computes: runs a Model on a Backend over the pages of a KvArena, on a thread of
// its own. Steps run one after another in the order of Launch(); two may be launched, so that the
// next one starts the moment the last one ends.
//
// A row's bits depend on its own tokens alone: not on what else is in the step, nor on where a
// prompt was cut into chunks.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/executor.h"
#include "engine/model.h"
#include "kernels/backend.h"
#include "kvcache/kv_arena.h"

namespace baton {

struct ModelExecutorOptions {
  int threads = 1;             // of the backend's stream, the compute thread included
  int step_tokens_max = 2048;  // tokens of all entries of a step
  int sequences_max = 256;     // entries of a step
  LayerDone layer_done;        // may be null; on the compute thread
  StepReady step_ready;        // may be null; on the compute thread
};

/// Thread: Launch() and TryCollect() on one thread. The destructor waits for the running step.
class ModelExecutor : public Executor {
 public:
  /// Allocates all scratch memory and runs one step on page 0 of `arena`, so that a shape that the
  /// backend does not run is found here. `model`, `backend` and `arena` outlive the executor;
  /// `arena`'s layout is one of model.LayoutFor().
  /// Errors: InvalidArgument when the backend does not run the model's shapes.
  static absl::StatusOr<std::unique_ptr<ModelExecutor>> Create(const Model& model,
                                                               const Backend& backend,
                                                               KvArena& arena,
                                                               ModelExecutorOptions options);
  ~ModelExecutor() override;

  /// Errors: as Executor; InvalidArgument when the step does not fit the options, the arena or the
  /// model (a token out of the vocabulary, a page out of the arena, too long), or a sampling
  /// parameter is out of its range: nothing is started.
  absl::Status Launch(Step step) override;
  absl::StatusOr<std::optional<StepResult>> TryCollect() override;
  int max_in_flight() const override { return 2; }

 private:
  class Impl;
  explicit ModelExecutor(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace baton
