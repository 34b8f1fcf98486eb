// The body of POST /v1/completions.
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/openai/api_call.h"
#include "server/openai/common_fields.h"
#include "server/openai/field_reader.h"

namespace baton {
namespace {

using Refusal = std::optional<HttpError>;

// The specification's default, which vLLM keeps; null means up to the model's length.
constexpr std::int64_t kMaxTokensDefault = 16;

// An id that no vocabulary holds stays outside when it is narrowed: the plan refuses it.
TokenId Narrow(std::int64_t id) {
  const bool fits = id >= 0 && id <= std::numeric_limits<TokenId>::max();
  return fits ? static_cast<TokenId>(id) : TokenId{-1};
}

Refusal ReadIds(const JsonArray& list, const std::string& path, PromptInput& prompt) {
  prompt.is_tokens = true;
  prompt.tokens.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::int64_t id = 0;
    if (!list[i].AsInt(&id)) {
      return FieldError(absl::StrCat(path, "[", i, "]"), "a list of token ids holds ids only");
    }
    prompt.tokens.push_back(Narrow(id));
  }
  return std::nullopt;
}

// [string], [[int]]: one prompt an element.
Refusal ReadMany(const JsonArray& list, ApiCall& call) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string path = absl::StrCat("prompt[", i, "]");
    PromptInput prompt;
    if (const std::string* text = list[i].AsString()) {
      prompt.text = *text;
    } else if (const JsonArray* ids = list[i].AsArray()) {
      if (Refusal no = ReadIds(*ids, path, prompt)) return no;
    } else {
      return FieldError(path, "a prompt must be a string or a list of token ids");
    }
    call.prompts.push_back(std::move(prompt));
  }
  return std::nullopt;
}

Refusal ReadPrompt(const JsonValue& value, const FieldLimits& limits, ApiCall& call) {
  PromptInput prompt;
  if (const std::string* text = value.AsString()) {
    prompt.text = *text;
    call.prompts.push_back(std::move(prompt));
    return std::nullopt;
  }
  const JsonArray* list = value.AsArray();
  if (list == nullptr || list->empty()) {
    return FieldError("prompt", "prompt must be a string, a list of token ids, or a list of those");
  }
  std::int64_t id = 0;
  if (!(*list)[0].AsInt(&id)) {
    if (list->size() > static_cast<std::size_t>(limits.prompts_max)) {
      return FieldError("prompt", absl::StrCat("at most ", limits.prompts_max, " prompts a call"));
    }
    return ReadMany(*list, call);
  }
  if (Refusal no = ReadIds(*list, "prompt", prompt)) return no;
  call.prompts.push_back(std::move(prompt));
  return std::nullopt;
}

}  // namespace

std::optional<HttpError> ParseCompletionCall(const JsonObject& body, const FieldLimits& limits,
                                             ApiCall& call) {
  FieldReader reader(body, "");
  ReadCommonFields(reader, call);
  call.fields.max_tokens = reader.Int("max_tokens");
  if (body.Find("max_tokens") == nullptr) call.fields.max_tokens = kMaxTokensDefault;
  call.fields.logprobs = reader.Int("logprobs");
  RefuseUnsupported(reader);
  if (reader.error().has_value()) return reader.error();
  const JsonValue* prompt = reader.Find("prompt");
  if (prompt == nullptr) return FieldError("prompt", "prompt is required");
  return ReadPrompt(*prompt, limits, call);
}

}  // namespace baton
