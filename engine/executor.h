// The seam between scheduling (pure, on the host) and computing (on a device).
//
// Implementations: ModelExecutor (engine/model_executor.h) runs the model on a Backend; the
// simulator's executor (tests/sim) answers in virtual time from page contents.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/step.h"

namespace baton {

/// Called once per layer and step, in order, when that layer's keys and values of every entry are
/// in their pages and may be sent. Called on the executor's thread: hand over, do not work.
using LayerDone = absl::AnyInvocable<void(std::uint64_t step, int layer)>;

/// Called on the executor's thread when TryCollect() will have something: rings the engine thread.
using StepReady = absl::AnyInvocable<void()>;

class Executor {
 public:
  virtual ~Executor() = default;

  /// Starts `step` and returns without waiting. At most `max_in_flight()` steps may be started and
  /// not yet collected.
  /// Errors: Internal when the device is lost; the worker must then stop.
  virtual absl::Status Launch(Step step) = 0;

  /// The oldest launched step's result, or nothing while it still runs. Never waits: a worker's
  /// Tick() must not, and in a simulation nothing could wake it.
  /// Errors: Internal, as Launch.
  virtual absl::StatusOr<std::optional<StepResult>> TryCollect() = 0;

  virtual int max_in_flight() const = 0;
};

}  // namespace baton
