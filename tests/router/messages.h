// Short hands for what workers say, in router tests.
#pragma once

#include <string>
#include <vector>

#include "proto/convert.h"
#include "proto/link.pb.h"

namespace baton {

inline constexpr int kTestPageTokens = 16;

inline link::Register RegisterOf(const std::string& id, link::Role role,
                                 std::uint64_t incarnation = 1) {
  link::Register facts;
  facts.set_worker_id(id);
  facts.set_incarnation(incarnation);
  facts.set_role(role);
  facts.set_layout_fingerprint(std::string(16, 'f'));
  link::LayoutField* field = facts.add_layout_fields();
  field->set_name("kv_dtype");
  field->set_value("bf16");
  facts.set_transfer_address("address of " + id);
  facts.set_pages(1000);
  facts.set_page_tokens(kTestPageTokens);
  facts.set_key_namespace("namespace");
  facts.mutable_model()->set_name("recall");
  facts.mutable_model()->set_vocab_size(258);
  facts.mutable_model()->set_length_tokens_max(8192);
  return facts;
}

inline link::SequenceTokens TokensOf(const RequestId& id, std::uint32_t attempt,
                                     std::uint32_t first_index, const std::vector<TokenId>& tokens,
                                     FinishReason finish = FinishReason::kNone) {
  link::SequenceTokens sequence;
  ToProto(id, sequence.mutable_request());
  sequence.set_attempt(attempt);
  sequence.set_first_index(first_index);
  for (const TokenId token : tokens) sequence.add_tokens()->set_token(token);
  sequence.set_finish(static_cast<std::uint32_t>(finish));
  return sequence;
}

inline link::JobFailed FailedOf(const RequestId& id, std::uint32_t attempt, link::FailReason reason,
                                bool retryable) {
  link::JobFailed failed;
  ToProto(id, failed.mutable_request());
  failed.set_attempt(attempt);
  failed.set_reason(reason);
  failed.set_retryable(retryable);
  return failed;
}

inline link::JobAccepted AcceptedOf(const RequestId& id, std::uint32_t attempt,
                                    std::uint32_t cached_tokens) {
  link::JobAccepted accepted;
  ToProto(id, accepted.mutable_request());
  accepted.set_attempt(attempt);
  accepted.set_cached_tokens(cached_tokens);
  return accepted;
}

inline link::HandoffReport ReportOf(const RequestId& id, std::uint32_t attempt,
                                    const std::string& outcome) {
  link::HandoffReport report;
  ToProto(id, report.mutable_request());
  report.set_attempt(attempt);
  report.set_outcome(outcome);
  report.set_wire("shm");
  report.set_exposed_us(1500);
  report.set_pages_sent(3);
  report.set_computed_tokens(48);
  return report;
}

/// Of `tokens`, which stand at `first_position` of the prompt.
inline link::PromptLogprobs PromptLogprobsOf(const RequestId& id, std::uint32_t attempt,
                                             std::uint32_t first_position,
                                             const std::vector<TokenId>& tokens) {
  link::PromptLogprobs said;
  ToProto(id, said.mutable_request());
  said.set_attempt(attempt);
  said.set_first_position(first_position);
  for (const TokenId token : tokens) {
    link::PromptLogprob& scored = *said.add_tokens();
    scored.set_token(token);
    scored.set_logprob(-static_cast<float>(token));
    scored.set_rank(1);
  }
  return said;
}

template <typename Kind>
link::WorkerMessage MessageOf(Kind kind) {
  link::WorkerMessage message;
  if constexpr (std::is_same_v<Kind, link::SequenceTokens>) {
    *message.mutable_tokens()->add_sequences() = std::move(kind);
  } else if constexpr (std::is_same_v<Kind, link::JobFailed>) {
    *message.mutable_failed() = std::move(kind);
  } else if constexpr (std::is_same_v<Kind, link::JobAccepted>) {
    *message.mutable_accepted() = std::move(kind);
  } else if constexpr (std::is_same_v<Kind, link::HandoffReport>) {
    *message.mutable_handoff() = std::move(kind);
  } else if constexpr (std::is_same_v<Kind, link::Load>) {
    *message.mutable_load() = std::move(kind);
  } else {
    *message.mutable_cache_events() = std::move(kind);
  }
  return message;
}

}  // namespace baton
