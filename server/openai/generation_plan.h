// The one validator of both front doors: what was asked, held against the model and the limits at
// the door, becomes one router Request for each (prompt, choice). Every refusal names its field.
// Pure: randomness is passed in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "router/request.h"
#include "server/http/http_error.h"
#include "server/openai/generation_fields.h"
#include "server/text/answer_text.h"

namespace baton {

class ChatFormat;

/// The bounds of a request's fields; beyond is a 400.
struct FieldLimits {
  int choices_max = 8;     // `n`
  int prompts_max = 32;    // prompts of one call
  int sequences_max = 64;  // prompts x n
  int stops_max = 16;
  int stop_bytes_max = 256;
  int stop_tokens_max = 64;
  int logprobs_max = kLogprobsMax;
  // entries of the prompts, and of an answer that is not streamed
  std::int64_t gathered_logprobs_max = 200'000;
  int messages_max = 4096;
  int name_bytes_max = 256;
};

struct GenerationPlan {
  std::vector<Request> requests;  // index = prompt * choices + choice
  int prompts = 0;
  int choices = 0;  // a prompt
  TextRules text;
  std::vector<TokenId> client_stop_tokens;  // stop_token_ids, for `stop_reason`
  bool prompt_only = false;  // max_tokens 0 with echo: the one token that a worker makes is dropped
};

struct PlanOptions {
  std::string cluster_secret;
  const ChatFormat* chat = nullptr;  // outlives the options
  Duration time_left = std::chrono::seconds(600);
  std::function<std::uint64_t()> random;  // 64 fresh bits a call
  FieldLimits limits;
};

/// Errors: 400 with param, as docs/api.md lists them. `prompts` holds token
/// ids in any range: they are checked here.
std::optional<HttpError> MakePlan(const GenerationFields& fields,
                                  std::vector<std::vector<TokenId>> prompts,
                                  const ServedModel& model, const PlanOptions& options,
                                  GenerationPlan& plan);

}  // namespace baton
