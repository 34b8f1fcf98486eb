#include "server/openai/stream_sink.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/openai/chat_delta.h"
#include "server/openai/server_timing.h"

namespace baton {
namespace {

// Rendered once an answer: the hot path appends only what differs from token to token.
std::string PrefixOf(const AnswerStyle& style, const AnswerIdentity& identity) {
  std::string prefix = "data: {\"id\":";
  AppendJsonString(identity.id, prefix);
  absl::StrAppend(&prefix, ",\"object\":\"",
                  style.chat ? "chat.completion.chunk" : "text_completion",
                  "\",\"created\":", identity.created, ",\"model\":");
  AppendJsonString(identity.model, prefix);
  prefix += ",\"system_fingerprint\":null,\"choices\":[";
  return prefix;
}

}  // namespace

StreamSink::StreamSink(HttpReply reply, const Tokenizer& tokenizer, AnswerStyle style,
                       AnswerIdentity identity, std::size_t choices)
    : reply_(std::move(reply)),
      tokenizer_(tokenizer),
      style_(style),
      identity_(std::move(identity)),
      prefix_(PrefixOf(style_, identity_)),
      prompt_(style_, identity_, tokenizer_, choices),
      logprobs_(choices) {
  for (std::size_t i = 0; style_.chat && i < choices; ++i) answers_.emplace_back(style_.answer);
}

void StreamSink::OnDelta(const ChoiceDelta& delta, const AnswerTotals& so_far) {
  AppendEvent(delta, so_far);
  Send();
}

void StreamSink::AppendEvent(const ChoiceDelta& delta, const AnswerTotals& so_far) {
  absl::StrAppend(&out_, prefix_, "{\"index\":", delta.choice);
  if (style_.chat) {
    AppendChatDelta(delta);
  } else {
    out_ += ",\"text\":";
    if (style_.echo && delta.first) {
      AppendJsonString(absl::StrCat(prompt_.Echo(delta.choice), delta.text), out_);
    } else {
      AppendJsonString(delta.text, out_);
    }
  }
  AppendLogprobs(delta);
  const int calls = style_.chat ? answers_[static_cast<std::size_t>(delta.choice)].calls() : 0;
  absl::StrAppend(&out_, ",\"finish_reason\":", WriteJson(FinishJson(delta.finish, calls)));
  if (delta.finish != FinishReason::kNone) {
    absl::StrAppend(&out_, ",\"stop_reason\":", WriteJson(StopReasonJson(delta)));
  }
  if (style_.return_token_ids) AppendTokenFields(delta);
  if (!style_.chat) AppendPromptLogprobs(delta);
  out_ += "}]";
  if (style_.chat) AppendPromptLogprobs(delta);
  if (style_.return_token_ids && style_.chat && delta.first) {
    absl::StrAppend(&out_, ",\"prompt_token_ids\":", WriteJson(TokenIdsJson(identity_.prompts[0])));
  }
  if (style_.continuous_usage) {
    absl::StrAppend(&out_, ",\"usage\":", WriteJson(UsageJson(so_far, style_)));
  } else if (style_.include_usage) {
    out_ += ",\"usage\":null";
  }
  out_ += "}\n\n";
}

void StreamSink::AppendChatDelta(const ChoiceDelta& delta) {
  out_ += ",\"delta\":{";
  if (delta.first) out_ += "\"role\":\"assistant\",";
  if (!style_.answer.reads()) {  // the common case, token by token: no tree is built
    out_ += "\"content\":";
    AppendJsonString(delta.text, out_);
    out_ += '}';
    return;
  }
  ChatAnswer& answer = answers_[static_cast<std::size_t>(delta.choice)];
  const bool last = delta.finish != FinishReason::kNone;
  const std::string json = WriteJson(ChatDeltaJson(answer.Append(delta.text, last), NewToolCallId));
  absl::StrAppend(&out_, absl::string_view(json).substr(1));
}

void StreamSink::AppendTokenFields(const ChoiceDelta& delta) {
  std::vector<TokenId> tokens;
  if (delta.token != nullptr) tokens.push_back(delta.token->token);
  absl::StrAppend(&out_, ",\"token_ids\":", WriteJson(TokenIdsJson(tokens)));
  if (style_.chat || !delta.first) return;
  const std::size_t choices = logprobs_.size() / identity_.prompts.size();
  const auto& prompt = identity_.prompts[static_cast<std::size_t>(delta.choice) / choices];
  absl::StrAppend(&out_, ",\"prompt_token_ids\":", WriteJson(TokenIdsJson(prompt)));
}

// A chat's choices share one prompt: it is told with the first's.
void StreamSink::AppendPromptLogprobs(const ChoiceDelta& delta) {
  if (!delta.first || !prompt_.has_logprobs_field()) return;
  if (style_.chat && delta.choice > 0) return;
  absl::StrAppend(&out_, ",\"prompt_logprobs\":", WriteJson(prompt_.LogprobsField(delta.choice)));
}

void StreamSink::AppendLogprobs(const ChoiceDelta& delta) {
  out_ += ",\"logprobs\":";
  const bool echoes = style_.echo && delta.first;
  if (!style_.logprobs || (delta.token == nullptr && !echoes)) {
    out_ += "null";
    return;
  }
  if (!style_.chat) {
    CompletionLogprobs& logprobs = logprobs_[static_cast<std::size_t>(delta.choice)];
    if (echoes) prompt_.AddEchoed(delta.choice, logprobs);
    if (delta.token != nullptr) logprobs.Add(*delta.token, delta.text, tokenizer_, style_);
    out_ += WriteJson(logprobs.Take());
    return;
  }
  absl::StrAppend(&out_, "{\"content\":[",
                  WriteJson(ChatLogprobJson(*delta.token, tokenizer_, style_)),
                  "],\"refusal\":null}");
}

void StreamSink::Send() {
  if (started_) {
    reply_.Write(out_);
    out_.clear();
    return;
  }
  started_ = true;
  HttpResponse head;
  head.content_type = "text/event-stream";
  head.headers = {{"Cache-Control", "no-cache"}, {"x-request-id", identity_.request_id}};
  if (style_.timing_trailer) head.headers.push_back({"Trailer", kServerTiming});
  head.body = std::exchange(out_, {});
  reply_.StartStream(std::move(head));
}

void StreamSink::OnDone(const AnswerTotals& totals) {
  if (style_.include_usage) {
    absl::StrAppend(&out_, prefix_, "],\"usage\":", WriteJson(UsageJson(totals, style_)), "}\n\n");
  }
  out_ += "data: [DONE]\n\n";
  std::vector<HttpHeader> trailers;
  if (style_.timing_trailer && totals.budget.has_value()) {
    trailers.push_back({kServerTiming, ServerTimingOf(*totals.budget)});
  }
  reply_.Finish(out_, trailers);
}

void StreamSink::OnError(const HttpError& error) {
  if (!started_) return reply_.Send(RefusalResponse(error, identity_.request_id));
  // No [DONE]: a client must not take what it has for the whole answer.
  const HttpError said = NamingRequest(error, identity_.request_id);
  reply_.Finish(absl::StrCat("data: ", ErrorBody(said), "\n\n"));
}

void StreamSink::SayWaiting() {
  out_ += ": waiting\n\n";
  Send();
}

}  // namespace baton
