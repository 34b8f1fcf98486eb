#include "engine/step_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status.h"

namespace baton {

StepShape ShapeOf(const Step& step) {
  StepShape shape;
  for (const StepEntry& entry : step.entries) {
    shape.AddRun(entry.first_position, static_cast<double>(entry.tokens.size()));
  }
  return shape;
}

namespace {

// Logits of whole prompts take time that the shape does not show: such a step would spoil the fit.
bool Scores(const Step& step) {
  return std::any_of(step.entries.begin(), step.entries.end(),
                     [](const StepEntry& entry) { return !entry.followers.empty(); });
}

}  // namespace

StepRunner::StepRunner(Executor& executor, int in_flight_max, const StepCost& prior)
    : executor_(executor),
      in_flight_max_(std::min(in_flight_max, executor.max_in_flight())),
      time_(prior) {}

absl::Status StepRunner::Launch(Step step, Instant now) {
  BATON_CHECK(HasRoom() && step.number == next_number_);
  BATON_RETURN_IF_ERROR(executor_.Launch(step));
  ++next_number_;
  running_.push_back({std::move(step), now});
  return absl::OkStatus();
}

absl::StatusOr<std::optional<CollectedStep>> StepRunner::TryCollect(Instant now) {
  if (idle()) return std::nullopt;
  BATON_ASSIGN_OR_RETURN(std::optional<StepResult> result, executor_.TryCollect());
  if (!result.has_value()) return std::nullopt;
  Running& oldest = running_.front();
  if (result->number != oldest.step.number) {
    return absl::InternalError(absl::StrFormat("the executor returned step %d instead of %d",
                                               result->number, oldest.step.number));
  }
  const Duration time = now - std::max(oldest.launched, last_collected_);
  if (!Scores(oldest.step)) time_.Observe(ShapeOf(oldest.step), ToSeconds(time));
  CollectedStep collected{std::move(oldest.step), *std::move(result), time};
  running_.pop_front();
  last_collected_ = now;
  return collected;
}

}  // namespace baton
