#include "proto/prompt_logprobs.h"

#include <algorithm>
#include <utility>

#include "proto/convert.h"

namespace baton {

void SendPromptLogprobs(const Job& job, int first_position, std::span<const PromptLogprob> tokens,
                        LinkId link, WorkerOutbox& outbox) {
  for (std::size_t first = 0; first < tokens.size(); first += kPromptLogprobsPerMessage) {
    const std::size_t count = std::min(kPromptLogprobsPerMessage, tokens.size() - first);
    link::WorkerMessage message;
    link::PromptLogprobs& said = *message.mutable_prompt_logprobs();
    ToProto(job.request, said.mutable_request());
    said.set_attempt(job.attempt);
    said.set_first_position(static_cast<std::uint32_t>(first_position) +
                            static_cast<std::uint32_t>(first));
    for (const PromptLogprob& token : tokens.subspan(first, count)) {
      ToProto(token, said.add_tokens());
    }
    outbox.Send(link, std::move(message));
  }
}

}  // namespace baton
