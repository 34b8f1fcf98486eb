// Gathers an answer and writes it as one JSON body.
//
// Thread: HTTP.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/http/http_reply.h"
#include "server/openai/answer_json.h"
#include "server/openai/chat_delta.h"
#include "server/openai/prompt_part.h"
#include "server/text/chat_answer.h"

namespace baton {

class WholeSink : public AnswerSink {
 public:
  WholeSink(HttpReply reply, const Tokenizer& tokenizer, AnswerStyle style, AnswerIdentity identity,
            std::size_t choices);

  void OnPromptLogprobs(int choice, std::vector<PromptLogprob> tokens) override {
    prompt_.Take(choice, std::move(tokens));
  }
  void OnDelta(const ChoiceDelta& delta, const AnswerTotals& so_far) override;
  void OnDone(const AnswerTotals& totals) override;
  void OnError(const HttpError& error) override;

 private:
  struct Gathered {
    std::string text;  // completions
    ChatMessageParts message;
    std::vector<TokenId> tokens;
    JsonArray chat_logprobs;
    CompletionLogprobs completion_logprobs;
    JsonValue finish;
    JsonValue stop_reason;
  };

  JsonValue ChoiceJson(std::size_t index);
  JsonValue LogprobsJson(Gathered& choice) const;

  HttpReply reply_;
  const Tokenizer& tokenizer_;
  const AnswerStyle style_;
  const AnswerIdentity identity_;
  PromptPart prompt_;
  std::vector<Gathered> choices_;
  std::vector<ChatAnswer> answers_;  // chat: one a choice
};

}  // namespace baton
