// The JSON of answers: ids, usage, logprobs, finish reasons, the same for streamed and whole ones.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "server/http/http_message.h"
#include "server/openai/api_call.h"
#include "server/openai/generation.h"
#include "server/text/tokenizer.h"

namespace baton {

/// What stands in every chunk of one answer.
struct AnswerIdentity {
  std::string id;                             // "chatcmpl-...", "cmpl-..."
  std::int64_t created = 0;                   // Unix seconds
  std::string model;                          // the name the client may say
  std::string request_id;                     // x-request-id
  std::vector<std::vector<TokenId>> prompts;  // kept only for return_token_ids and echo
  std::vector<std::string> echoes;            // the prompts' texts; only for echo
};

/// The answer to a call that was refused or failed: with the id, and in a 5xx's message too.
HttpResponse RefusalResponse(const HttpError& error, const std::string& request_id);

/// `error` with the id in its message where it is a 5xx: what a user copies into a report.
HttpError NamingRequest(HttpError error, const std::string& request_id);

JsonValue UsageJson(const AnswerTotals& totals, const AnswerStyle& style);

/// "stop", "length", "tool_calls" (stopped after `calls` of tools), or null while the choice runs.
JsonValue FinishJson(FinishReason reason, int calls = 0);

/// What ended the choice: the stop string, the client's stop token id, or null.
JsonValue StopReasonJson(const ChoiceDelta& delta);

JsonValue TokenIdsJson(const std::vector<TokenId>& tokens);

/// One token of a chat's `logprobs.content`.
JsonValue ChatLogprobJson(const TokenOutput& token, const Tokenizer& tokenizer,
                          const AnswerStyle& style);

/// One token of `prompt_logprobs`: by id, its own entry and the likeliest, each with its rank.
JsonValue PromptLogprobJson(const PromptLogprob& token, const Tokenizer& tokenizer,
                            const AnswerStyle& style);

/// Of UTF-8.
std::int64_t CharactersIn(absl::string_view utf8);

/// The `logprobs` of a completion, grown token by token.
class CompletionLogprobs {
 public:
  /// `text` is what the token set free: offsets count the characters before it.
  void Add(const TokenOutput& token, absl::string_view text, const Tokenizer& tokenizer,
           const AnswerStyle& style);

  /// A token of an echoed prompt, at `offset`; null for the first one, before which nothing stands.
  void AddPrompt(TokenId token, const PromptLogprob* scored, std::int64_t offset,
                 const Tokenizer& tokenizer, const AnswerStyle& style);

  /// The answer's text begins after so many characters.
  void StartAt(std::int64_t characters) { characters_ = characters; }

  /// The tokens added since the last call.
  JsonValue Take();

 private:
  JsonArray tokens_;
  JsonArray token_logprobs_;
  JsonArray top_logprobs_;
  JsonArray text_offset_;
  std::int64_t characters_ = 0;
};

}  // namespace baton
