// The small pages around generation: models, tokenize, detokenize.
//
// Thread: any (const).
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"
#include "server/gateway.h"
#include "server/http/http_server.h"
#include "server/openai/call_plan.h"
#include "server/openai/generation_plan.h"
#include "server/openai/served_names.h"
#include "server/text/tokenizer.h"

namespace baton {

class InfoHandlers {
 public:
  /// What it is given outlives it.
  InfoHandlers(const CallContext& context, std::int64_t started)
      : context_(context),
        gateway_(context.gateway),
        tokenizer_(context.tokenizer),
        names_(context.names),
        started_(started) {}

  /// GET /v1/models: every served name; an empty list while no worker has registered.
  HttpResponse Models() const;

  /// GET /v1/models/{id}.
  HttpResponse Model(const std::string& name) const;

  /// POST /tokenize {prompt | messages, add_special_tokens, parse_special_tokens,
  /// return_token_strs}; with messages also what else a chat's template sees (tools,
  /// add_generation_prompt, ...).
  HttpResponse Tokenize(const std::string& body) const;

  /// GET /tokenizer_info: the model's tokenizer_config.json, tokens as plain strings.
  HttpResponse TokenizerInfo() const;

  /// POST /detokenize {tokens}.
  HttpResponse Detokenize(const std::string& body) const;

 private:
  JsonObject ModelJson(const std::string& name, const ServedModel& model) const;

  const CallContext context_;
  const Gateway& gateway_;
  const Tokenizer& tokenizer_;
  const ServedNames& names_;
  const std::int64_t started_;  // Unix seconds
};

}  // namespace baton
