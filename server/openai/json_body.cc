#include "server/openai/json_body.h"

#include <utility>

#include "server/openai/field_reader.h"

namespace baton {

std::optional<HttpError> ParseBody(absl::string_view body, JsonValue& json) {
  absl::StatusOr<JsonValue> parsed = ParseJson(body, {.values_max = kBodyValuesMax});
  if (!parsed.ok()) return FieldError("", parsed.status().message(), "invalid_json");
  if (parsed->AsObject() == nullptr) {
    return FieldError("", "the body must be a JSON object", "invalid_json");
  }
  json = *std::move(parsed);
  return std::nullopt;
}

}  // namespace baton
