#include "engine/model/json_fields.h"

#include <utility>

#include "absl/strings/str_format.h"

namespace baton {

JsonFields::JsonFields(const JsonObject& object, std::string where)
    : object_(object), where_(std::move(where)) {}

const JsonValue* JsonFields::Find(absl::string_view name) {
  read_.insert(std::string(name));
  const JsonValue* value = object_.Find(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

int JsonFields::RequireInt(absl::string_view name, int low, int high) {
  if (Find(name) == nullptr) {
    FailField(name, "is missing");
    return low;
  }
  return IntOr(name, low, low, high);
}

int JsonFields::IntOr(absl::string_view name, int fallback, int low, int high) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return fallback;
  std::int64_t number = 0;
  if (!value->AsInt(&number) || number < low || number > high) {
    FailField(name, absl::StrFormat("must be a whole number from %d to %d", low, high));
    return fallback;
  }
  return static_cast<int>(number);
}

double JsonFields::NumberOr(absl::string_view name, double fallback, double low, double high) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return fallback;
  double number = 0;
  if (!value->AsDouble(&number) || !(number >= low && number <= high)) {
    FailField(name, absl::StrFormat("must be a number from %g to %g", low, high));
    return fallback;
  }
  return number;
}

bool JsonFields::BoolOr(absl::string_view name, bool fallback) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return fallback;
  if (value->AsBool() == nullptr) {
    FailField(name, "must be true or false");
    return fallback;
  }
  return *value->AsBool();
}

std::string JsonFields::StringOr(absl::string_view name, absl::string_view fallback) {
  const JsonValue* value = Find(name);
  if (value == nullptr) return std::string(fallback);
  if (value->AsString() == nullptr) {
    FailField(name, "must be a string");
    return std::string(fallback);
  }
  return *value->AsString();
}

void JsonFields::Ignore(absl::string_view name) { read_.insert(std::string(name)); }

void JsonFields::Fail(absl::Status status) {
  if (status_.ok()) status_ = std::move(status);
}

void JsonFields::FailField(absl::string_view name, absl::string_view what) {
  Fail(absl::InvalidArgumentError(absl::StrFormat("%s%s %s", where_, name, what)));
}

std::vector<std::string> JsonFields::Unread() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : object_.members()) {
    if (!read_.contains(name)) names.push_back(name);
  }
  return names;
}

}  // namespace baton
