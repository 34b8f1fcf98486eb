#include "engine/model/tokenizer_reach.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/json.h"

namespace baton {
namespace {

void Raise(const JsonValue* id, std::int64_t& largest) {
  std::int64_t value = 0;
  if (id != nullptr && id->AsInt(&value)) largest = std::max(largest, value);
}

}  // namespace

absl::StatusOr<int> IdsWithText(absl::string_view tokenizer_json, int vocab_size) {
  const absl::StatusOr<JsonValue> parsed = ParseJson(tokenizer_json);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("tokenizer.json: ", parsed.status().message()));
  }
  const JsonObject* root = parsed->AsObject();
  const JsonValue* model = root == nullptr ? nullptr : root->Find("model");
  const JsonValue* vocab =
      model == nullptr || model->AsObject() == nullptr ? nullptr : model->AsObject()->Find("vocab");
  if (vocab == nullptr || vocab->AsObject() == nullptr) {
    return absl::InvalidArgumentError("tokenizer.json: model.vocab is missing or no object");
  }
  std::int64_t largest = -1;
  for (const auto& [text, id] : vocab->AsObject()->members()) Raise(&id, largest);
  const JsonValue* added = root->Find("added_tokens");
  if (added != nullptr && added->AsArray() != nullptr) {
    for (const JsonValue& token : *added->AsArray()) {
      if (token.AsObject() != nullptr) Raise(token.AsObject()->Find("id"), largest);
    }
  }
  if (largest < 0) return absl::InvalidArgumentError("tokenizer.json: model.vocab is empty");
  return static_cast<int>(std::min<std::int64_t>(largest + 1, vocab_size));
}

}  // namespace baton
