// Launches steps, collects them, and learns what they cost: the part of an engine thread that both
// worker roles share.
//
// Thread: confined to the engine thread.
#pragma once

#include <deque>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/time.h"
#include "engine/executor.h"
#include "engine/step.h"
#include "scheduling/step_time.h"

namespace baton {

/// The sums that predict a step's time.
StepShape ShapeOf(const Step& step);

struct CollectedStep {
  Step step;  // as launched
  StepResult result;
  Duration time{};  // from launch, or from the end of the step before it
};

class StepRunner {
 public:
  /// `in_flight_max` is cut to what the executor takes. `executor` outlives this.
  StepRunner(Executor& executor, int in_flight_max, const StepCost& prior);

  bool HasRoom() const { return static_cast<int>(running_.size()) < in_flight_max_; }
  bool idle() const { return running_.empty(); }

  /// The number that the next step to be launched must carry.
  std::uint64_t next_number() const { return next_number_; }

  /// Needs HasRoom(). Errors: Internal, and the worker must stop.
  absl::Status Launch(Step step, Instant now);

  /// The oldest running step, if it is done. Never waits. Errors: as Launch.
  absl::StatusOr<std::optional<CollectedStep>> TryCollect(Instant now);

  const StepTime& time() const { return time_; }

 private:
  struct Running {
    Step step;
    Instant launched;
  };

  Executor& executor_;
  const int in_flight_max_;
  StepTime time_;
  std::deque<Running> running_;
  std::uint64_t next_number_ = 1;
  Instant last_collected_{};
};

}  // namespace baton
