#include "server/openai/prompt_part.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/text/answer_text.h"

namespace baton {
namespace {

TextRules EchoRules(bool skip_special_tokens) {
  return {.stops = {},
          .include_stop = false,
          .skip_special_tokens = skip_special_tokens,
          .min_tokens = 0};
}

}  // namespace

PromptPart::PromptPart(const AnswerStyle& style, const AnswerIdentity& identity,
                       const Tokenizer& tokenizer, std::size_t choices)
    : style_(style),
      identity_(identity),
      tokenizer_(tokenizer),
      choices_(choices / std::max<std::size_t>(1, identity.prompts.size())),
      logprobs_(choices) {}

std::size_t PromptPart::PromptOf(int choice) const {
  return static_cast<std::size_t>(choice) / choices_;
}

void PromptPart::Take(int choice, std::vector<PromptLogprob> tokens) {
  logprobs_[static_cast<std::size_t>(choice)] = std::move(tokens);
}

const std::string& PromptPart::Echo(int choice) const {
  return style_.echo ? identity_.echoes[PromptOf(choice)] : nothing_;
}

void PromptPart::AddEchoed(int choice, CompletionLogprobs& logprobs) const {
  if (style_.echo_logprobs < 0) return;
  const std::vector<TokenId>& prompt = identity_.prompts[PromptOf(choice)];
  const std::vector<PromptLogprob>& scored = logprobs_[static_cast<std::size_t>(choice)];
  // Where the text came as such, its tokens may spell it a little differently: no offset is beyond
  // it.
  AnswerText text(tokenizer_, EchoRules(style_.echo_skips_special));
  std::int64_t characters = 0;
  const std::int64_t all = CharactersIn(Echo(choice));
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    const PromptLogprob* token = i == 0 ? nullptr : &scored[i - 1];
    logprobs.AddPrompt(prompt[i], token, std::min(characters, all), tokenizer_, style_);
    characters += CharactersIn(text.Append(prompt[i], false));
  }
  logprobs.StartAt(all);
}

JsonValue PromptPart::LogprobsField(int choice) const {
  JsonArray field;
  field.emplace_back(nullptr);
  for (const PromptLogprob& token : logprobs_[static_cast<std::size_t>(choice)]) {
    field.push_back(PromptLogprobJson(token, tokenizer_, style_));
  }
  return field;
}

std::string EchoOf(const std::vector<TokenId>& prompt, bool skip_special_tokens,
                   const Tokenizer& tokenizer) {
  AnswerText text(tokenizer, EchoRules(skip_special_tokens));
  std::string echo;
  for (const TokenId token : prompt) echo += text.Append(token, false);
  return echo + text.Flush();
}

}  // namespace baton
