#include "server/openai/field_reader.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace baton {

HttpError FieldError(absl::string_view param, absl::string_view message, absl::string_view code) {
  return {400, "invalid_request_error", std::string(message), std::string(param),
          std::string(code)};
}

HttpError UnsupportedError(absl::string_view param, absl::string_view message) {
  return FieldError(param, message, "unsupported_value");
}

const JsonValue* FieldReader::Find(absl::string_view name) const {
  const JsonValue* value = object_.Find(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void FieldReader::Fail(HttpError error) {
  if (!error_.has_value()) error_ = std::move(error);
}

void FieldReader::FailType(absl::string_view name, absl::string_view wanted, const JsonValue& got) {
  const std::string path = PathOf(name);
  Fail(FieldError(path, absl::StrFormat("%s must be %s, not %s", path, wanted, got.TypeName())));
}

std::optional<bool> FieldReader::Bool(absl::string_view name) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (const bool* flag = value->AsBool()) return *flag;
  FailType(name, "a boolean", *value);
  return std::nullopt;
}

std::optional<std::int64_t> FieldReader::Int(absl::string_view name) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  std::int64_t number = 0;
  if (value->AsInt(&number)) return number;
  FailType(name, "a whole number", *value);
  return std::nullopt;
}

std::optional<std::uint64_t> FieldReader::Bits(absl::string_view name) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (const auto* bits = std::get_if<std::uint64_t>(&value->storage())) return *bits;
  const std::optional<std::int64_t> number = Int(name);
  if (!number.has_value()) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<double> FieldReader::Number(absl::string_view name) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  double number = 0;
  if (value->AsDouble(&number)) return number;
  FailType(name, "a number", *value);
  return std::nullopt;
}

std::optional<std::string> FieldReader::String(absl::string_view name) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (const std::string* text = value->AsString()) return *text;
  FailType(name, "a string", *value);
  return std::nullopt;
}

const JsonArray* FieldReader::Array(absl::string_view name) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return nullptr;
  if (value->AsArray() == nullptr) FailType(name, "a list", *value);
  return value->AsArray();
}

const JsonObject* FieldReader::Object(absl::string_view name) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return nullptr;
  if (value->AsObject() == nullptr) FailType(name, "an object", *value);
  return value->AsObject();
}

}  // namespace baton
