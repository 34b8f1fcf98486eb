// The log-probabilities of a prompt's own tokens: the head is applied to the rows that a step
// leaves, a few at a time, so that memory does not grow with the run. A row's bits do not depend on
// how many are taken together, nor on where the prompt was cut into chunks.
#pragma once

#include "absl/status/statusor.h"
#include "engine/model/architecture.h"
#include "engine/step.h"

namespace baton {

/// What `forward`, whose last Run() held `entry` from row `first_row` on, gives to each of
/// entry.followers. `vocab_size`: of a row of logits; `rows_max`: BatchLimits::LogitRows(). Logits
/// of earlier rows are gone afterwards. Errors: Internal when a logit is not finite; those of the
/// backend.
absl::StatusOr<PromptLogprobRun> ScoreFollowers(const StepEntry& entry, int first_row,
                                                int vocab_size, int rows_max, Forward& forward);

}  // namespace baton
