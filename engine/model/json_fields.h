// Reads typed fields of one JSON object and remembers which were asked for, so that what is left
// over can be named. The first error sticks; later reads give their defaults.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/json.h"

namespace baton {

class JsonFields {
 public:
  /// `object` outlives this; `where` stands in front of field names in messages.
  JsonFields(const JsonObject& object, std::string where);

  /// The field, or null when it is absent or JSON null. Counts as read.
  const JsonValue* Find(absl::string_view name);

  /// A whole number in [low, high]. The first form reports an absent field as an error.
  int RequireInt(absl::string_view name, int low, int high);
  int IntOr(absl::string_view name, int fallback, int low, int high);
  /// A finite number in [low, high].
  double NumberOr(absl::string_view name, double fallback, double low, double high);
  bool BoolOr(absl::string_view name, bool fallback);
  std::string StringOr(absl::string_view name, absl::string_view fallback);

  /// Counts `name` as read without looking at it.
  void Ignore(absl::string_view name);

  void Fail(absl::Status status);
  const absl::Status& status() const { return status_; }

  /// Fields that nobody asked for, in the object's order.
  std::vector<std::string> Unread() const;

 private:
  void FailField(absl::string_view name, absl::string_view what);

  const JsonObject& object_;
  const std::string where_;
  std::set<std::string, std::less<>> read_;
  absl::Status status_;
};

}  // namespace baton
