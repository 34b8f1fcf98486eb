// Writes an answer as server-sent events: one event a token, the finish reason on the last token's,
// `[DONE]` at the end. Status and headers leave with the first token, so that a refusal keeps its
// true status; after a while of waiting they leave anyway, with comment lines.
//
// Thread: HTTP.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/http/http_reply.h"
#include "server/openai/answer_json.h"
#include "server/openai/prompt_part.h"
#include "server/text/chat_answer.h"

namespace baton {

class StreamSink : public AnswerSink {
 public:
  StreamSink(HttpReply reply, const Tokenizer& tokenizer, AnswerStyle style,
             AnswerIdentity identity, std::size_t choices);

  void OnPromptLogprobs(int choice, std::vector<PromptLogprob> tokens) override {
    prompt_.Take(choice, std::move(tokens));
  }
  void OnDelta(const ChoiceDelta& delta, const AnswerTotals& so_far) override;
  void OnDone(const AnswerTotals& totals) override;
  void OnError(const HttpError& error) override;

  /// A comment line, so that proxies and clients see that the wait is alive.
  void SayWaiting();

 private:
  void AppendEvent(const ChoiceDelta& delta, const AnswerTotals& so_far);
  void AppendChatDelta(const ChoiceDelta& delta);
  void AppendTokenFields(const ChoiceDelta& delta);
  void AppendPromptLogprobs(const ChoiceDelta& delta);
  void AppendLogprobs(const ChoiceDelta& delta);
  void Send();

  HttpReply reply_;
  const Tokenizer& tokenizer_;
  const AnswerStyle style_;
  const AnswerIdentity identity_;
  const std::string prefix_;  // of every event, up to its choices
  PromptPart prompt_;
  std::vector<CompletionLogprobs> logprobs_;
  std::vector<ChatAnswer> answers_;  // chat: one a choice
  std::string out_;                  // one event, reused
  bool started_ = false;
};

}  // namespace baton
