#include "proto/job.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "proto/convert.h"

namespace baton {
namespace {

absl::Status CheckTokens(const link::Sequence& sequence, const link::ModelFacts& model) {
  if (sequence.attempt() == 0) return absl::InvalidArgumentError("attempts count from 1");
  if (sequence.tokens().empty()) return absl::InvalidArgumentError("the prompt holds no token");
  if (sequence.tokens_size() >= model.length_tokens_max()) {
    return absl::InvalidArgumentError(absl::StrFormat("%d tokens leave no room in the model's %d",
                                                      sequence.tokens_size(),
                                                      model.length_tokens_max()));
  }
  const auto tokens = static_cast<std::uint32_t>(sequence.tokens_size());
  if (sequence.prompt_tokens() == 0 || sequence.prompt_tokens() > tokens) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%d prompt tokens of %d", sequence.prompt_tokens(), tokens));
  }
  const auto outside = [&](TokenId token) { return token < 0 || token >= model.vocab_size(); };
  if (std::any_of(sequence.tokens().begin(), sequence.tokens().end(), outside)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("a token id is outside the vocabulary of %d", model.vocab_size()));
  }
  return absl::OkStatus();
}

absl::Status CheckSampling(const SamplingParams& sampling) {
  const auto within = [](float value, float bound) { return std::abs(value) <= bound; };
  const bool biased = std::ranges::all_of(sampling.rules.logit_bias, [&](const LogitBias& bias) {
    return within(bias.bias, kLogitBiasMax);
  });
  const bool lawful = biased && within(sampling.rules.frequency_penalty, kPenaltyMax) &&
                      within(sampling.rules.presence_penalty, kPenaltyMax) &&
                      sampling.rules.repetition_penalty > 0 &&
                      sampling.rules.repetition_penalty <= kRepetitionPenaltyMax &&
                      std::isfinite(sampling.temperature) && sampling.temperature >= 0 &&
                      sampling.top_p > 0 && sampling.top_p <= 1 && sampling.top_k >= 0 &&
                      sampling.min_p >= 0 && sampling.min_p <= 1 && sampling.logprobs >= -1 &&
                      sampling.logprobs <= kLogprobsMax && sampling.prompt_logprobs >= -1 &&
                      sampling.prompt_logprobs <= kLogprobsMax;
  return lawful ? absl::OkStatus()
                : absl::InvalidArgumentError("sampling parameters are out of range");
}

}  // namespace

absl::StatusOr<Job> ParseJob(const link::Sequence& sequence, const link::ModelFacts& model,
                             Instant now) {
  BATON_RETURN_IF_ERROR(CheckTokens(sequence, model));
  Job job{.request = FromProto(sequence.request()),
          .attempt = sequence.attempt(),
          .tokens = {sequence.tokens().begin(), sequence.tokens().end()},
          .prompt_tokens = static_cast<int>(sequence.prompt_tokens()),
          .sampling = FromProto(sequence.sampling()),
          .stop = FromProto(sequence.stop()),
          .cache_salt = sequence.cache_salt(),
          .deadline = now + Milliseconds(sequence.deadline_ms())};
  BATON_RETURN_IF_ERROR(CheckSampling(job.sampling));
  job.stop.max_tokens =
      std::min(job.stop.max_tokens, model.length_tokens_max() - job.prompt_tokens);
  if (job.stop.max_tokens <= job.generated()) {
    return absl::InvalidArgumentError("the answer already has all the tokens it may have");
  }
  return job;
}

link::JobFailed MakeFailure(link::FailReason reason, bool retryable, absl::string_view why) {
  link::JobFailed failed;
  failed.set_reason(reason);
  failed.set_retryable(retryable);
  failed.set_message(std::string(why));
  return failed;
}

}  // namespace baton
