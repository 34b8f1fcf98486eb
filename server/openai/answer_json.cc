#include "server/openai/answer_json.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"

namespace baton {
namespace {

// What vLLM prints for a probability of zero: JSON has no infinity.
constexpr double kNoProbability = -9999.0;

double Printed(float logprob) { return std::isfinite(logprob) ? double{logprob} : kNoProbability; }

std::string NameOf(TokenId token, const Tokenizer& tokenizer, const AnswerStyle& style) {
  if (style.token_ids_as_names || !tokenizer.has_text()) return absl::StrCat("token_id:", token);
  return TokenName(tokenizer.BytesOf(token));
}

JsonValue BytesJson(absl::string_view bytes) {
  JsonArray array;
  for (const char c : bytes) array.emplace_back(int{static_cast<unsigned char>(c)});
  return array;
}

// Two fields may want different numbers of them: workers told the larger.
std::size_t AlternativesIn(const PromptLogprob& token, int wanted) {
  return std::min(token.top.size(), static_cast<std::size_t>(std::max(0, wanted)));
}

JsonObject LogprobEntry(const TokenLogprob& entry, const Tokenizer& tokenizer,
                        const AnswerStyle& style) {
  return MakeJson({{"token", NameOf(entry.token, tokenizer, style)},
                   {"logprob", Printed(entry.logprob)},
                   {"bytes", BytesJson(tokenizer.BytesOf(entry.token))}});
}

// To the microsecond, which is what the clocks behind it are good for.
JsonValue MillisecondsJson(double ms) { return std::round(ms * 1000) / 1000; }

// Null is what was not measured: there was no hand-off, or its report came too late.
JsonValue BudgetJson(const HandoffBudget& budget) {
  const bool handed = !budget.prefill_worker.empty();
  const bool reported = !budget.wire.empty();
  const auto time = [reported](double ms) {
    return reported ? MillisecondsJson(ms) : JsonValue(nullptr);
  };
  const auto count = [reported](std::uint64_t value) {
    return reported ? JsonValue(value) : JsonValue(nullptr);
  };
  return MakeJson(
      {{"prefill_worker", handed ? JsonValue(budget.prefill_worker) : JsonValue(nullptr)},
       {"decode_worker", budget.decode_worker},
       {"wire", reported ? JsonValue(budget.wire) : JsonValue(nullptr)},
       {"queue_ms", time(budget.queue_ms)},
       {"prefill_ms", time(budget.prefill_ms)},
       {"offer_ms", time(budget.offer_ms)},
       {"exposed_ms", time(budget.exposed_ms)},
       {"commit_ms", time(budget.commit_ms)},
       {"first_token_ms", MillisecondsJson(budget.first_token_ms)},
       {"bytes", count(budget.bytes)},
       {"pages_sent", count(budget.pages_sent)},
       {"pages_saved", count(budget.pages_saved)}});
}

}  // namespace

std::int64_t CharactersIn(absl::string_view utf8) {
  std::int64_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

HttpError NamingRequest(HttpError error, const std::string& request_id) {
  if (error.status >= 500) absl::StrAppend(&error.message, " (request ", request_id, ")");
  return error;
}

HttpResponse RefusalResponse(const HttpError& error, const std::string& request_id) {
  HttpResponse response = ErrorResponse(NamingRequest(error, request_id));
  response.headers.push_back({"x-request-id", request_id});
  return response;
}

JsonValue UsageJson(const AnswerTotals& totals, const AnswerStyle& style) {
  JsonObject usage = MakeJson({{"prompt_tokens", totals.prompt_tokens},
                               {"completion_tokens", totals.completion_tokens},
                               {"total_tokens", totals.prompt_tokens + totals.completion_tokens}});
  // Not zero but unknown: an answer that a stop string cut has no word from the workers.
  JsonValue details = nullptr;
  if (totals.cached_tokens.has_value()) {
    details = MakeJson({{"cached_tokens", *totals.cached_tokens}});
  }
  usage.Insert("prompt_tokens_details", std::move(details));
  if (style.handoff_budget && totals.budget.has_value()) {
    usage.Insert("handoff", BudgetJson(*totals.budget));
  }
  return usage;
}

JsonValue FinishJson(FinishReason reason, int calls) {
  switch (reason) {
    case FinishReason::kStop:
      return calls > 0 ? "tool_calls" : "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kNone:
      break;
  }
  return nullptr;
}

JsonValue StopReasonJson(const ChoiceDelta& delta) {
  if (delta.stop_string != nullptr) return *delta.stop_string;
  if (delta.stop_token.has_value()) return *delta.stop_token;
  return nullptr;
}

JsonValue TokenIdsJson(const std::vector<TokenId>& tokens) {
  JsonArray array;
  array.reserve(tokens.size());
  for (const TokenId token : tokens) array.emplace_back(token);
  return array;
}

JsonValue ChatLogprobJson(const TokenOutput& token, const Tokenizer& tokenizer,
                          const AnswerStyle& style) {
  JsonObject entry = LogprobEntry({token.token, token.logprob}, tokenizer, style);
  JsonArray top;
  for (const TokenLogprob& other : token.top) top.push_back(LogprobEntry(other, tokenizer, style));
  entry.Insert("top_logprobs", std::move(top));
  return entry;
}

JsonValue PromptLogprobJson(const PromptLogprob& token, const Tokenizer& tokenizer,
                            const AnswerStyle& style) {
  JsonObject entries;
  const auto add = [&](TokenId id, float logprob, int rank) {
    entries.Insert(absl::StrCat(id), MakeJson({{"logprob", Printed(logprob)},
                                               {"rank", rank},
                                               {"decoded_token", NameOf(id, tokenizer, style)}}));
  };
  add(token.token, token.logprob, token.rank);
  for (std::size_t i = 0; i < AlternativesIn(token, style.prompt_logprobs); ++i) {
    if (token.top[i].token == token.token) continue;
    add(token.top[i].token, token.top[i].logprob, static_cast<int>(i) + 1);
  }
  return entries;
}

void CompletionLogprobs::AddPrompt(TokenId token, const PromptLogprob* scored, std::int64_t offset,
                                   const Tokenizer& tokenizer, const AnswerStyle& style) {
  tokens_.push_back(NameOf(token, tokenizer, style));
  text_offset_.push_back(offset);
  if (scored == nullptr) {
    token_logprobs_.push_back(nullptr);
    top_logprobs_.push_back(nullptr);
    return;
  }
  token_logprobs_.push_back(Printed(scored->logprob));
  JsonObject top;
  for (std::size_t i = 0; i < AlternativesIn(*scored, style.echo_logprobs); ++i) {
    top.Insert(NameOf(scored->top[i].token, tokenizer, style), Printed(scored->top[i].logprob));
  }
  top.Insert(NameOf(token, tokenizer, style), Printed(scored->logprob));
  top_logprobs_.push_back(std::move(top));
}

void CompletionLogprobs::Add(const TokenOutput& token, absl::string_view text,
                             const Tokenizer& tokenizer, const AnswerStyle& style) {
  tokens_.push_back(NameOf(token.token, tokenizer, style));
  token_logprobs_.push_back(Printed(token.logprob));
  JsonObject top;
  for (const TokenLogprob& other : token.top) {
    top.Insert(NameOf(other.token, tokenizer, style), Printed(other.logprob));
  }
  top.Insert(NameOf(token.token, tokenizer, style), Printed(token.logprob));
  top_logprobs_.push_back(std::move(top));
  text_offset_.push_back(characters_);
  characters_ += CharactersIn(text);
}

JsonValue CompletionLogprobs::Take() {
  return MakeJson({{"tokens", std::exchange(tokens_, {})},
                   {"token_logprobs", std::exchange(token_logprobs_, {})},
                   {"top_logprobs", std::exchange(top_logprobs_, {})},
                   {"text_offset", std::exchange(text_offset_, {})}});
}

}  // namespace baton
