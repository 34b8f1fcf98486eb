// The public gRPC messages as the same typed call that JSON makes: two parsers, one validator.
// Pure.
#pragma once

#include <vector>

#include "proto/baton_public.pb.h"
#include "server/http/http_error.h"
#include "server/openai/api_call.h"
#include "server/openai/generation.h"

namespace baton {

/// Errors: 400 with param.
std::optional<HttpError> ParsePublicCall(const v1::GenerateRequest& request,
                                         const FieldLimits& limits, ApiCall& call);

/// The answer to a chat over gRPC is its text as the model wrote it: no tools, no thought apart.
std::optional<HttpError> ParsePublicChat(const v1::Chat& chat, const FieldLimits& limits,
                                         ChatInput& input);

v1::GenerateEvent PublicEvent(const ChoiceDelta& delta, bool logprobs);
v1::GenerateEvent PublicEvent(const AnswerTotals& totals);

/// A choice's prompt from its second token on, in events of a bounded size.
std::vector<v1::GenerateEvent> PublicEvents(int choice, const std::vector<PromptLogprob>& tokens);

}  // namespace baton
