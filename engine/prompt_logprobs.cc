#include "engine/prompt_logprobs.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "engine/logprobs.h"

namespace baton {
namespace {

absl::StatusOr<PromptLogprob> Score(std::span<const float> logits, TokenId token, int position,
                                    int alternatives) {
  if (!AllFinite(logits)) {
    return absl::InternalError(absl::StrFormat(
        "a logit at position %d is not finite; the weights or the kernels are broken", position));
  }
  const RowLogprobs row(logits);
  return PromptLogprob{.token = token,
                       .logprob = row.Of(token),
                       .rank = row.RankOf(token),
                       .top = row.Top(alternatives)};
}

}  // namespace

absl::StatusOr<PromptLogprobRun> ScoreFollowers(const StepEntry& entry, int first_row,
                                                int vocab_size, int rows_max, Forward& forward) {
  PromptLogprobRun run{
      .sequence = entry.sequence, .first_position = entry.first_position + 1, .tokens = {}};
  const int count = static_cast<int>(entry.followers.size());
  run.tokens.reserve(entry.followers.size());
  std::vector<std::int32_t> rows;
  for (int first = 0; first < count; first += rows_max) {
    const int end = std::min(count, first + rows_max);
    rows.clear();
    for (int i = first; i < end; ++i) rows.push_back(first_row + i);
    BATON_RETURN_IF_ERROR(forward.Head(rows));
    for (int i = first; i < end; ++i) {
      const std::span<const float> logits(forward.Logits(i - first),
                                          static_cast<std::size_t>(vocab_size));
      BATON_ASSIGN_OR_RETURN(
          PromptLogprob scored,
          Score(logits, entry.followers[static_cast<std::size_t>(i)], run.first_position + i,
                std::max(0, entry.sampling.prompt_logprobs)));
      run.tokens.push_back(std::move(scored));
    }
  }
  return run;
}

}  // namespace baton
