// A router's job as a value that a worker can trust: every number checked against the model before
// anything is kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/ids.h"
#include "base/sampling.h"
#include "base/time.h"
#include "proto/link.pb.h"

namespace baton {

struct Job {
  RequestId request;
  std::uint32_t attempt = 0;    // from 1
  std::vector<TokenId> tokens;  // [>= 1] the client's prompt, then what was generated so far
  int prompt_tokens = 0;        // how many of `tokens` are the client's
  SamplingParams sampling;
  StopRule stop;  // max_tokens already cut to the model's length
  std::string cache_salt;
  Instant deadline{};

  /// Tokens of the answer that `tokens` holds.
  int generated() const { return static_cast<int>(tokens.size()) - prompt_tokens; }
  /// How many of `tokens` may come from the prefix cache of who computes them: all but the last,
  /// whose output is the next token; none where the log-probabilities of the prompt are wanted,
  /// since cached tokens have no logits.
  int CachedMax() const {
    return sampling.prompt_logprobs >= 0 ? 0 : static_cast<int>(tokens.size()) - 1;
  }
  /// Tokens of prompt and answer when the answer is as long as it may be.
  int length_max() const { return prompt_tokens + stop.max_tokens; }
};

/// Errors: InvalidArgument with what is wrong, no content: no token, an id out of the vocabulary,
/// longer than the model, nothing left to generate, sampling numbers out of their ranges.
absl::StatusOr<Job> ParseJob(const link::Sequence& sequence, const link::ModelFacts& model,
                             Instant now);

/// A refusal or failure in words; who it concerns is set by the sender. `why` goes to logs and the
/// client: no prompt, no address.
link::JobFailed MakeFailure(link::FailReason reason, bool retryable, absl::string_view why);

}  // namespace baton
