#include "server/roles/step_probe.h"

#include <algorithm>

#include "base/status.h"
#include "base/time.h"

namespace baton {
namespace {

constexpr int kRuns = 3;

absl::StatusOr<double> RunSeconds(Executor& executor, int tokens,
                                  const std::function<bool()>& wait) {
  Step step;
  step.entries.push_back({.sequence = SequenceId{0},
                          .first_position = 0,
                          .tokens = std::vector<TokenId>(static_cast<std::size_t>(tokens), 0),
                          .pages = {PageId{0}},
                          .samples = true,
                          .sampling = {},
                          .context = {},
                          .followers = {}});
  const Instant start = std::chrono::steady_clock::now();
  BATON_RETURN_IF_ERROR(executor.Launch(std::move(step)));
  while (true) {
    BATON_ASSIGN_OR_RETURN(const std::optional<StepResult> result, executor.TryCollect());
    if (result.has_value()) return ToSeconds(std::chrono::steady_clock::now() - start);
    if (!wait()) return absl::DeadlineExceededError("the model's first step does not end");
  }
}

}  // namespace

absl::StatusOr<StepCost> ProbeStepCost(Executor& executor, int tokens,
                                       const std::function<bool()>& wait) {
  double one = 1e9;
  double many = 1e9;
  for (int run = 0; run < kRuns; ++run) {
    BATON_ASSIGN_OR_RETURN(const double first, RunSeconds(executor, 1, wait));
    BATON_ASSIGN_OR_RETURN(const double second, RunSeconds(executor, tokens, wait));
    one = std::min(one, first);
    many = std::min(many, second);
  }
  StepCost cost;
  cost.per_token = std::max(1e-7, (many - one) / std::max(1, tokens - 1));
  cost.fixed = std::max(1e-5, one - cost.per_token);
  return cost;
}

}  // namespace baton
