#include "server/public_request.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/openai/field_reader.h"

namespace baton {
namespace {

// With all alternatives some 300 KiB an event.
constexpr std::size_t kPromptTokensPerEvent = 1000;

void ReadFields(const v1::GenerateRequest& request, GenerationFields& fields) {
  if (request.has_temperature()) fields.temperature = request.temperature();
  if (request.has_top_p()) fields.top_p = request.top_p();
  if (request.has_min_p()) fields.min_p = request.min_p();
  if (request.has_top_k()) fields.top_k = request.top_k();
  if (request.has_seed()) fields.seed = request.seed();
  if (request.has_n()) fields.n = request.n();
  if (request.has_max_tokens()) fields.max_tokens = request.max_tokens();
  if (request.has_min_tokens()) fields.min_tokens = request.min_tokens();
  if (request.has_logprobs()) fields.logprobs = request.logprobs();
  if (request.has_prompt_logprobs()) fields.prompt_logprobs = request.prompt_logprobs();
  LogitFields& logits = fields.logits;
  if (request.has_repetition_penalty()) logits.repetition_penalty = request.repetition_penalty();
  if (request.has_frequency_penalty()) logits.frequency_penalty = request.frequency_penalty();
  if (request.has_presence_penalty()) logits.presence_penalty = request.presence_penalty();
  logits.logit_bias.assign(request.logit_bias().begin(), request.logit_bias().end());
  logits.allowed_token_ids.assign(request.allowed_token_ids().begin(),
                                  request.allowed_token_ids().end());
  logits.bad_words.assign(request.bad_words().begin(), request.bad_words().end());
  fields.stop.assign(request.stop().begin(), request.stop().end());
  fields.stop_token_ids.assign(request.stop_token_ids().begin(), request.stop_token_ids().end());
  fields.ignore_eos = request.ignore_eos();
  fields.include_stop_str_in_output = request.include_stop_str_in_output();
  if (request.has_skip_special_tokens()) {
    fields.skip_special_tokens = request.skip_special_tokens();
  }
  fields.cache_salt = request.cache_salt();
}

void AddTop(const std::vector<TokenLogprob>& top,
            google::protobuf::RepeatedPtrField<v1::TokenLogprob>& out) {
  for (const TokenLogprob& entry : top) {
    v1::TokenLogprob& added = *out.Add();
    added.set_token_id(entry.token);
    added.set_logprob(entry.logprob);
  }
}

v1::FinishReason PublicReason(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return v1::FINISH_REASON_STOP;
    case FinishReason::kLength:
      return v1::FINISH_REASON_LENGTH;
    case FinishReason::kNone:
      break;
  }
  return v1::FINISH_REASON_UNSPECIFIED;
}

}  // namespace

std::optional<HttpError> ParsePublicChat(const v1::Chat& chat, const FieldLimits& limits,
                                         ChatInput& input) {
  if (chat.messages().empty()) return FieldError("chat", "chat must hold at least one message");
  if (chat.messages_size() > limits.messages_max) {
    return FieldError("chat", absl::StrFormat("at most %d messages", limits.messages_max));
  }
  JsonArray messages;
  for (int i = 0; i < chat.messages_size(); ++i) {
    const v1::ChatMessage& message = chat.messages(i);
    const std::string role = message.role() == "developer" ? "system" : message.role();
    if (role != "system" && role != "user" && role != "assistant" && role != "tool") {
      return FieldError(absl::StrCat("chat.messages[", i, "].role"),
                        "role must be developer, system, user, assistant or tool");
    }
    messages.push_back(MakeJson({{"role", role}, {"content", message.content()}}));
  }
  input.messages = std::move(messages);
  return std::nullopt;
}

std::optional<HttpError> ParsePublicCall(const v1::GenerateRequest& request,
                                         const FieldLimits& limits, ApiCall& call) {
  call.model = request.model();
  ReadFields(request, call.fields);
  call.style.stream = true;
  call.style.logprobs = request.has_logprobs();
  if (request.has_add_special_tokens())
    call.encode.add_special_tokens = request.add_special_tokens();
  PromptInput prompt;
  switch (request.prompt_case()) {
    case v1::GenerateRequest::kText:
      call.fields.prompt_name = "text";
      prompt.text = request.text();
      call.prompts.push_back(std::move(prompt));
      return std::nullopt;
    case v1::GenerateRequest::kTokenIds:
      call.fields.prompt_name = "token_ids";
      prompt.is_tokens = true;
      prompt.tokens.assign(request.token_ids().ids().begin(), request.token_ids().ids().end());
      call.prompts.push_back(std::move(prompt));
      return std::nullopt;
    case v1::GenerateRequest::kChat:
      call.style.chat = true;
      call.fields.prompt_name = "chat";
      return ParsePublicChat(request.chat(), limits, call.chat);
    case v1::GenerateRequest::PROMPT_NOT_SET:
      break;
  }
  return FieldError("prompt", "give text, chat or token_ids");
}

v1::GenerateEvent PublicEvent(const ChoiceDelta& delta, bool logprobs) {
  v1::GenerateEvent event;
  v1::Token& token = *event.mutable_token();
  token.set_choice(static_cast<std::uint32_t>(delta.choice));
  token.set_text(delta.text);
  token.set_finish_reason(PublicReason(delta.finish));
  if (delta.stop_string != nullptr) token.set_stop_string(*delta.stop_string);
  if (delta.token == nullptr) return event;
  token.set_token_id(delta.token->token);
  if (!logprobs) return event;
  token.set_logprob(delta.token->logprob);
  AddTop(delta.token->top, *token.mutable_top_logprobs());
  return event;
}

std::vector<v1::GenerateEvent> PublicEvents(int choice, const std::vector<PromptLogprob>& tokens) {
  std::vector<v1::GenerateEvent> events;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i % kPromptTokensPerEvent == 0) {
      v1::PromptLogprobs& begun = *events.emplace_back().mutable_prompt();
      begun.set_choice(static_cast<std::uint32_t>(choice));
      begun.set_first_position(static_cast<std::uint32_t>(i + 1));
    }
    v1::PromptLogprob& told = *events.back().mutable_prompt()->add_tokens();
    told.set_token_id(tokens[i].token);
    told.set_logprob(tokens[i].logprob);
    told.set_rank(tokens[i].rank);
    AddTop(tokens[i].top, *told.mutable_top_logprobs());
  }
  return events;
}

v1::GenerateEvent PublicEvent(const AnswerTotals& totals) {
  v1::GenerateEvent event;
  v1::Finished& finished = *event.mutable_finished();
  finished.set_prompt_tokens(totals.prompt_tokens);
  finished.set_completion_tokens(totals.completion_tokens);
  if (totals.cached_tokens.has_value()) finished.set_cached_tokens(*totals.cached_tokens);
  return event;
}

}  // namespace baton
