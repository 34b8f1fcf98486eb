#include "server/openai/generation.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace baton {

Generation::Generation(Gateway& gateway, const Tokenizer& tokenizer, const DoorMetrics& metrics,
                       std::unique_ptr<AnswerSink> sink, Instant read_at)
    : gateway_(gateway),
      tokenizer_(tokenizer),
      metrics_(metrics),
      sink_(std::move(sink)),
      read_at_(read_at),
      now_(read_at) {}

void Generation::Submit(
    GenerationPlan plan,
    const std::function<std::unique_ptr<ResponseObserver>(int choice)>& observe) {
  client_stop_tokens_ = plan.client_stop_tokens;
  prompt_only_ = plan.prompt_only;
  choices_.reserve(plan.requests.size());
  for (std::size_t i = 0; i < plan.requests.size(); ++i) {
    const bool first_of_prompt = i % static_cast<std::size_t>(plan.choices) == 0;
    choices_.emplace_back(plan.requests[i], first_of_prompt, AnswerText(tokenizer_, plan.text));
  }
  // All choices stand before the first is submitted: an answer may come at once.
  for (std::size_t i = 0; i < plan.requests.size(); ++i) {
    gateway_.Submit(std::move(plan.requests[i]), observe(static_cast<int>(i)));
  }
}

void Generation::OnPromptLogprobs(int choice, const std::vector<PromptLogprob>& tokens) {
  Choice& state = choices_[static_cast<std::size_t>(choice)];
  if (done_ || state.ended) return;
  state.prompt.insert(state.prompt.end(), tokens.begin(), tokens.end());
  if (state.prompt.size() + 1 < static_cast<std::size_t>(state.prompt_tokens)) return;
  sink_->OnPromptLogprobs(choice, std::exchange(state.prompt, {}));
}

void Generation::OnTokens(int choice, const std::vector<TokenOutput>& tokens, Instant now) {
  now_ = now;
  for (const TokenOutput& token : tokens) {
    // What comes after a stop string was found is nobody's: dropped, not billed.
    if (done_ || choices_[static_cast<std::size_t>(choice)].ended) return;
    TakeToken(choice, token);
  }
}

void Generation::TakeToken(int index, const TokenOutput& token) {
  if (prompt_only_) return;
  Choice& choice = choices_[static_cast<std::size_t>(index)];
  ++choice.generated;
  if (choice.generated == 1) {
    metrics_.first_token.Observe(ToSeconds(now_ - read_at_));
  } else {
    metrics_.inter_token.Observe(ToSeconds(now_ - choice.token_at));
  }
  choice.token_at = now_;
  const FinishReason reason = choice.stop.After(choice.generated, token.token);
  if (reason != FinishReason::kNone) {
    choice.last = token;
    return;
  }
  ChoiceDelta delta;
  delta.choice = index;
  delta.text = choice.text.Append(token.token, false);
  delta.token = &token;
  delta.stop_string = choice.text.stop_found();
  if (delta.stop_string != nullptr) return EndByStopString(index, std::move(delta));
  Say(choice, std::move(delta));
}

void Generation::Say(Choice& choice, ChoiceDelta delta) {
  delta.first = !choice.said_anything;
  choice.said_anything = true;
  sink_->OnDelta(delta, Totals());
}

void Generation::EndByStopString(int index, ChoiceDelta delta) {
  Choice& choice = choices_[static_cast<std::size_t>(index)];
  delta.finish = FinishReason::kStop;
  choice.ended = true;
  gateway_.Cancel(choice.id, CancelReason::kAnswered);
  CountEnd(choice, FinishReason::kStop);
  Say(choice, std::move(delta));
  FinishIfAllEnded();
}

void Generation::OnEnd(int choice, const AnswerEnd& end, Instant now) {
  now_ = now;
  if (done_ || choices_[static_cast<std::size_t>(choice)].ended) return;
  if (!end.status.ok()) return Fail(choice, end);
  EndByRouter(choice, end);
}

void Generation::EndByRouter(int index, const AnswerEnd& end) {
  Choice& choice = choices_[static_cast<std::size_t>(index)];
  choice.ended = true;
  choice.usage = end.usage;
  choice.usage_known = true;
  if (index == 0) budget_ = end.budget;
  ChoiceDelta delta;
  delta.choice = index;
  delta.finish = prompt_only_ ? FinishReason::kLength : end.reason;
  if (choice.last.has_value()) {
    const TokenId token = choice.last->token;
    const bool by_end_token = end.reason == FinishReason::kStop;
    delta.token = &*choice.last;
    delta.text = choice.text.Append(token, by_end_token);
    delta.stop_string = choice.text.stop_found();
    if (delta.stop_string != nullptr) delta.finish = FinishReason::kStop;
    const auto& stops = client_stop_tokens_;
    if (by_end_token && std::find(stops.begin(), stops.end(), token) != stops.end()) {
      delta.stop_token = token;
    }
  }
  delta.text += choice.text.Flush();
  CountEnd(choice, delta.finish);
  Say(choice, std::move(delta));
  FinishIfAllEnded();
}

void Generation::CountEnd(const Choice& choice, FinishReason reason) {
  (reason == FinishReason::kLength ? metrics_.ended_by_length : metrics_.ended_by_stop).Add();
  metrics_.end_to_end.Observe(ToSeconds(now_ - read_at_));
  metrics_.prompt_tokens.Observe(choice.prompt_tokens);
  metrics_.generated_tokens.Observe(choice.generated);
}

void Generation::FinishIfAllEnded() {
  const auto ended = [](const Choice& choice) { return choice.ended; };
  if (!std::all_of(choices_.begin(), choices_.end(), ended)) return;
  done_ = true;
  sink_->OnDone(Totals());
}

void Generation::CancelRunning() {
  for (Choice& choice : choices_) {
    if (choice.ended) continue;
    choice.ended = true;
    gateway_.Cancel(choice.id, CancelReason::kClientGone);
  }
}

void Generation::Fail(int index, const AnswerEnd& end) {
  const HttpError error = ErrorOfEnd(end.status, end.code);
  if (error.code == "internal") {  // the client is not told what; the log is
    BATON_ERROR("request %s failed: %s", choices_[static_cast<std::size_t>(index)].id.ToString(),
                std::string(end.status.message()));
  }
  FailWith(error);
}

void Generation::FailWith(const HttpError& error) {
  if (done_) return;
  done_ = true;
  metrics_.ended_by_error.Add();
  CancelRunning();
  sink_->OnError(error);
}

void Generation::Abandon(Instant now) {
  if (done_) return;
  now_ = now;
  done_ = true;
  metrics_.ended_by_abort.Add();
  CancelRunning();
}

AnswerTotals Generation::Totals() const {
  AnswerTotals totals;
  totals.budget = budget_;
  int cached = 0;
  bool cached_known = true;
  for (const Choice& choice : choices_) {
    totals.completion_tokens += choice.generated;
    if (!choice.bears_prompt) continue;
    totals.prompt_tokens += choice.prompt_tokens;
    cached += choice.usage.cached_tokens;
    cached_known = cached_known && choice.usage_known;
  }
  if (cached_known) totals.cached_tokens = cached;
  return totals;
}

HttpError ErrorOfEnd(const absl::Status& status, const std::string& code) {
  const std::string message(status.message());
  if (code == "context_length_exceeded") return {400, "invalid_request_error", message, "", code};
  if (code == "queue_full" || code == "no_worker" || code == "draining") {
    return {503, "unavailable_error", message, "", code};
  }
  if (code == "deadline") return {504, "timeout_error", message, "", code};
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return {400, "invalid_request_error", message, "", ""};
    case absl::StatusCode::kResourceExhausted:
      return {429, "rate_limit_error", message, "", code};
    case absl::StatusCode::kUnavailable:
      return {503, "unavailable_error", message, "", code};
    case absl::StatusCode::kDeadlineExceeded:
      return {504, "timeout_error", message, "", code};
    default:  // a bug of ours, said without detail
      return {500, "server_error", "the server failed", "", "internal"};
  }
}

}  // namespace baton
