#include "engine/logit_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

namespace baton {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

bool LooksBack(const SamplingParams& params) {
  return params.rules.repetition_penalty != 1 || params.rules.frequency_penalty != 0 ||
         params.rules.presence_penalty != 0 || !params.rules.bad_words.empty();
}

float* At(std::span<float> row, TokenId token) {
  const bool inside = token >= 0 && static_cast<std::size_t>(token) < row.size();
  return inside ? &row[static_cast<std::size_t>(token)] : nullptr;
}

void KeepAllowed(const std::vector<TokenId>& allowed, std::span<float> row) {
  if (allowed.empty()) return;
  std::vector<std::pair<TokenId, float>> kept;
  for (const TokenId token : allowed) {
    if (const float* logit = At(row, token)) kept.emplace_back(token, *logit);
  }
  if (kept.empty()) return;
  std::ranges::fill(row, kNever);
  for (const auto& [token, logit] : kept) row[static_cast<std::size_t>(token)] = logit;
}

/// The id that would complete `word` after `answer`.
std::optional<TokenId> Completes(const std::vector<TokenId>& word,
                                 std::span<const TokenId> answer) {
  if (word.empty() || word.size() - 1 > answer.size()) return std::nullopt;
  const auto tail = answer.last(word.size() - 1);
  if (!std::equal(tail.begin(), tail.end(), word.begin())) return std::nullopt;
  return word.back();
}

void Ban(std::span<const TokenId> banned, std::span<float> row) {
  std::vector<std::pair<float*, float>> before;
  for (const TokenId token : banned) {
    float* const logit = At(row, token);
    if (logit == nullptr) continue;
    before.emplace_back(logit, *logit);
    *logit = kNever;
  }
  if (std::ranges::any_of(row, [](float logit) { return logit != kNever; })) return;
  std::ranges::reverse(before);  // an id that was named twice ends as it was first
  for (const auto& [logit, value] : before) *logit = value;
}

void Penalize(const SamplingParams& params, const SampleContext& context, std::span<float> row) {
  std::map<TokenId, int> answered;  // every token so far -> how often the answer has it
  for (std::size_t i = 0; i < context.tokens.size(); ++i) {
    answered[context.tokens[i]] += i >= static_cast<std::size_t>(context.prompt_tokens) ? 1 : 0;
  }
  for (const auto& [token, count] : answered) {
    float* const logit = At(row, token);
    if (logit == nullptr) continue;
    *logit = *logit > 0 ? *logit / params.rules.repetition_penalty
                        : *logit * params.rules.repetition_penalty;
    *logit -= params.rules.frequency_penalty * static_cast<float>(count);
    if (count > 0) *logit -= params.rules.presence_penalty;
  }
}

}  // namespace

SampleContext ContextOf(const SamplingParams& params, const StopRule& stop,
                        std::span<const TokenId> tokens, int prompt_tokens) {
  SampleContext context;
  context.prompt_tokens = prompt_tokens;
  const int generated = static_cast<int>(tokens.size()) - prompt_tokens;
  if (!stop.ignore_end_tokens && generated < stop.min_tokens) context.withheld = stop.end_tokens;
  if (LooksBack(params)) context.tokens.assign(tokens.begin(), tokens.end());
  return context;
}

bool HasLogitRules(const SamplingParams& params, const SampleContext& context) {
  return LooksBack(params) || !params.rules.logit_bias.empty() ||
         !params.rules.allowed_tokens.empty() || !context.withheld.empty();
}

void ApplyLogitRules(const SamplingParams& params, const SampleContext& context,
                     std::span<float> row) {
  KeepAllowed(params.rules.allowed_tokens, row);
  std::vector<TokenId> banned = context.withheld;
  const std::size_t prompt =
      std::min(context.tokens.size(), static_cast<std::size_t>(context.prompt_tokens));
  const auto answer = std::span(context.tokens).subspan(prompt);
  for (const std::vector<TokenId>& word : params.rules.bad_words) {
    if (const auto last = Completes(word, answer)) banned.push_back(*last);
  }
  Ban(banned, row);
  for (const LogitBias& bias : params.rules.logit_bias) {
    if (float* const logit = At(row, bias.token)) *logit += bias.bias;
  }
  Penalize(params, context, row);
}

}  // namespace baton
