#include "server/openai/whole_sink.h"

#include <utility>

#include "server/openai/server_timing.h"

namespace baton {

WholeSink::WholeSink(HttpReply reply, const Tokenizer& tokenizer, AnswerStyle style,
                     AnswerIdentity identity, std::size_t choices)
    : reply_(std::move(reply)),
      tokenizer_(tokenizer),
      style_(style),
      identity_(std::move(identity)),
      prompt_(style_, identity_, tokenizer_, choices),
      choices_(choices) {
  for (std::size_t i = 0; style_.chat && i < choices; ++i) answers_.emplace_back(style_.answer);
}

void WholeSink::OnDelta(const ChoiceDelta& delta, const AnswerTotals&) {
  Gathered& choice = choices_[static_cast<std::size_t>(delta.choice)];
  if (style_.echo && delta.first) {
    choice.text = prompt_.Echo(delta.choice);
    prompt_.AddEchoed(delta.choice, choice.completion_logprobs);
  }
  if (delta.token != nullptr) {
    choice.tokens.push_back(delta.token->token);
    if (style_.logprobs && style_.chat) {
      choice.chat_logprobs.push_back(ChatLogprobJson(*delta.token, tokenizer_, style_));
    } else if (style_.logprobs) {
      choice.completion_logprobs.Add(*delta.token, delta.text, tokenizer_, style_);
    }
  }
  int calls = 0;
  if (style_.chat) {
    ChatAnswer& answer = answers_[static_cast<std::size_t>(delta.choice)];
    const bool last = delta.finish != FinishReason::kNone;
    choice.message.Add(answer.Append(delta.text, last), NewToolCallId);
    calls = answer.calls();
  } else {
    choice.text += delta.text;
  }
  choice.finish = FinishJson(delta.finish, calls);
  choice.stop_reason = StopReasonJson(delta);
}

JsonValue WholeSink::LogprobsJson(Gathered& choice) const {
  if (!style_.logprobs) return nullptr;
  if (!style_.chat) return choice.completion_logprobs.Take();
  return MakeJson({{"content", std::move(choice.chat_logprobs)}, {"refusal", nullptr}});
}

JsonValue WholeSink::ChoiceJson(std::size_t index) {
  Gathered& choice = choices_[index];
  JsonObject json = MakeJson({{"index", static_cast<int>(index)}});
  if (style_.chat) {
    json.Insert("message", choice.message.TakeMessage());
  } else {
    json.Insert("text", std::move(choice.text));
  }
  json.Insert("logprobs", LogprobsJson(choice));
  json.Insert("finish_reason", std::move(choice.finish));
  json.Insert("stop_reason", std::move(choice.stop_reason));
  if (!style_.chat && prompt_.has_logprobs_field()) {
    json.Insert("prompt_logprobs", prompt_.LogprobsField(static_cast<int>(index)));
  }
  if (style_.return_token_ids) {
    json.Insert("token_ids", TokenIdsJson(choice.tokens));
    const std::size_t choices = choices_.size() / identity_.prompts.size();
    if (!style_.chat) {
      json.Insert("prompt_token_ids", TokenIdsJson(identity_.prompts[index / choices]));
    }
  }
  return json;
}

void WholeSink::OnDone(const AnswerTotals& totals) {
  JsonArray choices;
  for (std::size_t i = 0; i < choices_.size(); ++i) choices.push_back(ChoiceJson(i));
  JsonObject body = MakeJson({{"id", identity_.id},
                              {"object", style_.chat ? "chat.completion" : "text_completion"},
                              {"created", identity_.created},
                              {"model", identity_.model},
                              {"system_fingerprint", nullptr},
                              {"choices", std::move(choices)},
                              {"usage", UsageJson(totals, style_)}});
  if (style_.return_token_ids && style_.chat) {
    body.Insert("prompt_token_ids", TokenIdsJson(identity_.prompts[0]));
  }
  if (style_.chat && prompt_.has_logprobs_field()) {
    body.Insert("prompt_logprobs", prompt_.LogprobsField(0));
  }
  HttpResponse response;
  response.body = WriteJson(body);
  response.headers.push_back({"x-request-id", identity_.request_id});
  if (totals.budget.has_value()) {
    response.headers.push_back({kServerTiming, ServerTimingOf(*totals.budget)});
  }
  reply_.Send(std::move(response));
}

void WholeSink::OnError(const HttpError& error) {
  reply_.Send(RefusalResponse(error, identity_.request_id));
}

}  // namespace baton
