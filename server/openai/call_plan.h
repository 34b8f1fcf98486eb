// From a typed call to requests that can be submitted: model, prompts, fields, in this order. Both
// front doors go through here, so that they cannot differ.
//
// Thread: any (const); tokenising happens here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/gateway.h"
#include "server/http/http_error.h"
#include "server/openai/api_call.h"
#include "server/openai/api_handlers.h"
#include "server/openai/generation_plan.h"
#include "server/openai/served_names.h"
#include "server/text/chat_format.h"
#include "server/text/tokenizer.h"

namespace baton {

/// What planning needs of a role; all of it outlives the plan's making.
struct CallContext {
  const Gateway& gateway;
  const Tokenizer& tokenizer;
  const ServedNames& names;
  const PlanOptions& options;
};

/// No token of a vocabulary that is read here stands for more bytes.
inline constexpr std::size_t kTokenBytesMax = 256;

/// A 400 for a text that is too long whatever its tokens are: it need not be tokenised.
std::optional<HttpError> CheckTextBytes(std::size_t bytes, int tokens_max, const std::string& name);

/// Fills `plan`; `prompts` gets the prompts' token ids, and `call.model` the name that the answer
/// carries. Errors: as ServedNames::Resolve and MakePlan; 400 for text to a model without text.
std::optional<HttpError> PlanCall(const CallContext& context, ApiCall& call,
                                  std::vector<std::vector<TokenId>>& prompts, GenerationPlan& plan);

/// A chat's prompt, rendered and encoded; sets how its answer is read. Errors: 400 when the
/// template refuses the conversation, or there is none.
std::optional<HttpError> TokenizeChat(const CallContext& context, ApiCall& call,
                                      std::vector<TokenId>& tokens);

/// The planner's options from a role's; draws a secret where none was given.
PlanOptions PlanOptionsOf(const ApiOptions& options);

}  // namespace baton
