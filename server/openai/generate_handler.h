// POST /v1/chat/completions and /v1/completions: from the body to requests under way.
//
// Thread: HTTP.
#pragma once

#include <string>
#include <vector>

#include "server/gateway.h"
#include "server/http/http_server.h"
#include "server/openai/api_call.h"
#include "server/openai/call_plan.h"
#include "server/openai/call_table.h"
#include "server/openai/door_metrics.h"
#include "server/openai/text_threads.h"

namespace baton {

class GenerateHandler {
 public:
  /// What it is given outlives it.
  struct Context {
    const CallContext call;
    Gateway& gateway;
    const DoorMetrics& metrics;
    CallTable& calls;
    TextThreads& texts;
    const TextThreads::Deliver deliver;  // to the HTTP thread
  };

  explicit GenerateHandler(const Context& context) : context_(context) {}

  void Handle(bool chat, HttpRequest request, HttpReply reply);

 private:
  class Preparation;

  /// Everything that can refuse: nothing has been started when it does. Thread: any.
  std::optional<HttpError> Prepare(const std::string& body, ApiCall& call,
                                   std::vector<std::vector<TokenId>>& prompts,
                                   GenerationPlan& plan) const;
  void Start(const ApiCall& call, AnswerIdentity identity, GenerationPlan plan, Instant read_at,
             HttpReply reply);

  const Context context_;
};

/// The client's x-request-id, if it can be echoed safely; else a new one.
std::string RequestIdOf(const HttpRequest& request);

}  // namespace baton
