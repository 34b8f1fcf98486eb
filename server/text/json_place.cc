#include "server/text/json_place.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace baton {
namespace {

constexpr std::size_t kQuotedBytesMax = 64;

}  // namespace

JsonPlace JsonPlace::At(absl::string_view key) const {
  const JsonObject* object = value_ == nullptr ? nullptr : value_->AsObject();
  return {object == nullptr ? nullptr : object->Find(key),
          path_.empty() ? std::string(key) : absl::StrCat(path_, ".", key)};
}

absl::StatusOr<std::vector<JsonPlace>> JsonPlace::Items() const {
  const JsonArray* array = value_ == nullptr ? nullptr : value_->AsArray();
  if (array == nullptr) return Error("must be an array");
  std::vector<JsonPlace> items;
  for (std::size_t i = 0; i < array->size(); ++i) {
    items.emplace_back(&(*array)[i], absl::StrCat(path_, "[", i, "]"));
  }
  return items;
}

absl::StatusOr<std::string> JsonPlace::String() const {
  const std::string* text = value_ == nullptr ? nullptr : value_->AsString();
  if (text == nullptr) return Error("must be a string");
  return *text;
}

absl::StatusOr<bool> JsonPlace::Bool() const {
  const bool* value = value_ == nullptr ? nullptr : value_->AsBool();
  if (value == nullptr) return Error("must be true or false");
  return *value;
}

absl::StatusOr<bool> JsonPlace::BoolOr(bool otherwise) const {
  if (!is_present()) return otherwise;
  return Bool();
}

absl::StatusOr<std::int64_t> JsonPlace::Int() const {
  std::int64_t number = 0;
  if (value_ == nullptr || !value_->AsInt(&number)) return Error("must be a whole number");
  return number;
}

absl::Status JsonPlace::AllowOnly(std::initializer_list<absl::string_view> known) const {
  const JsonObject* object = value_ == nullptr ? nullptr : value_->AsObject();
  if (object == nullptr) return Error("must be an object");
  for (const auto& [key, value] : object->members()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return Error(absl::StrCat("member ", Quoted(key), " is not known"));
    }
  }
  return absl::OkStatus();
}

absl::Status JsonPlace::Error(absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(path_.empty() ? "the file" : path_, ": ", what));
}

std::string Quoted(absl::string_view text) {
  const bool cut = text.size() > kQuotedBytesMax;
  return absl::StrCat("\"", absl::Utf8SafeCEscape(text.substr(0, kQuotedBytesMax)),
                      cut ? "...\"" : "\"");
}

}  // namespace baton
