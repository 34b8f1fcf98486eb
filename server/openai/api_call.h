// One call of /v1/chat/completions or /v1/completions as its JSON said it: parsed and typed, not
// yet held against a model.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/json.h"
#include "server/http/http_error.h"
#include "server/openai/generation_fields.h"
#include "server/openai/generation_plan.h"
#include "server/text/chat_answer.h"
#include "server/text/chat_template.h"

namespace baton {

class FieldReader;

/// How the answer is to be written.
struct AnswerStyle {
  bool chat = false;
  bool stream = false;
  bool include_usage = false;     // stream: one last chunk with usage, the others say null
  bool continuous_usage = false;  // stream: every chunk says the usage so far
  bool logprobs = false;          // each token with its logprob
  bool echo = false;              // completions: the prompt before its answer
  bool echo_skips_special = true;
  int echo_logprobs = -1;    // alternatives with each echoed token; -1: no logprobs
  int prompt_logprobs = -1;  // alternatives in `prompt_logprobs`; -1: the field is not there
  bool return_token_ids = false;
  bool token_ids_as_names = false;  // `return_tokens_as_token_ids`: "token_id:17" in logprobs
  bool handoff_budget = false;      // usage also says what the hand-off cost
  bool timing_trailer = false;      // stream: the client takes trailers, so Server-Timing ends it
  ChatAnswerRules answer;           // chat: thoughts and tool calls to tell apart
};

/// Exactly one of the two is meant.
struct PromptInput {
  std::string text;
  std::vector<TokenId> tokens;
  bool is_tokens = false;
};

struct ApiCall {
  std::string model;  // empty: not said
  AnswerStyle style;
  GenerationFields fields;
  ChatInput chat;                    // chat
  std::vector<PromptInput> prompts;  // completions
  EncodeOptions encode{true, true};  // completions with text
};

/// The body of POST /v1/chat/completions. Errors: 400 with param.
std::optional<HttpError> ParseChatCall(const JsonObject& body, const FieldLimits& limits,
                                       ApiCall& call);

/// The body of POST /v1/completions. Errors: 400 with param.
std::optional<HttpError> ParseCompletionCall(const JsonObject& body, const FieldLimits& limits,
                                             ApiCall& call);

/// The `messages` of a chat as its template sees them, also for /tokenize: roles and types
/// checked, "developer" said "system", text parts joined, other fields left out.
std::optional<HttpError> ParseMessages(const JsonArray& array, const FieldLimits& limits,
                                       JsonArray& messages);

/// What else of a chat's body its template sees: tools, chat_template_kwargs, ...; also for
/// /tokenize. Errors stay in `reader`.
void ReadTemplateFields(FieldReader& reader, const FieldLimits& limits, ApiCall& call);

}  // namespace baton
