// What an answer says of its prompts: their text again (`echo`) and what the model gave to their
// tokens
// (`logprobs` with `echo`, `prompt_logprobs`). The same for streamed and whole answers.
//
// Thread: HTTP.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "server/openai/answer_json.h"
#include "server/openai/api_call.h"
#include "server/text/tokenizer.h"

namespace baton {

class PromptPart {
 public:
  /// All of these outlive it. `choices`: of all prompts together.
  PromptPart(const AnswerStyle& style, const AnswerIdentity& identity, const Tokenizer& tokenizer,
             std::size_t choices);

  void Take(int choice, std::vector<PromptLogprob> tokens);

  /// What stands before the choice's own text; empty without `echo`.
  const std::string& Echo(int choice) const;

  /// With `echo` and `logprobs`: the prompt's tokens, before those of the answer.
  void AddEchoed(int choice, CompletionLogprobs& logprobs) const;

  bool has_logprobs_field() const { return style_.prompt_logprobs >= 0; }
  /// `prompt_logprobs` as vLLM writes it: null, then an object a token, by id.
  JsonValue LogprobsField(int choice) const;

 private:
  std::size_t PromptOf(int choice) const;

  const AnswerStyle& style_;
  const AnswerIdentity& identity_;
  const Tokenizer& tokenizer_;
  const std::size_t choices_;  // a prompt
  const std::string nothing_;
  std::vector<std::vector<PromptLogprob>> logprobs_;  // [choices of all prompts]
};

/// The text of a prompt that came as ids, as an answer's would be.
std::string EchoOf(const std::vector<TokenId>& prompt, bool skip_special_tokens,
                   const Tokenizer& tokenizer);

}  // namespace baton
