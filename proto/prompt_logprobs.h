// A worker's statement of what its model gave to tokens of a prompt, cut into messages of a bounded
// size: with all alternatives a message stays far below the link's window.
#pragma once

#include <span>

#include "base/ids.h"
#include "base/sampling.h"
#include "proto/job.h"
#include "proto/worker_outbox.h"

namespace baton {

inline constexpr std::size_t kPromptLogprobsPerMessage = 256;

/// Queues `tokens`, which stand at `first_position` of `job`'s prompt and after it, for `link`.
void SendPromptLogprobs(const Job& job, int first_position, std::span<const PromptLogprob> tokens,
                        LinkId link, WorkerOutbox& outbox);

}  // namespace baton
