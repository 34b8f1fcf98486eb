// A value inside a JSON file together with the path to it, so that every complaint names its place:
// `pre_tokenizer.pretokenizers[1].type: "Metaspace" is not supported`.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/json.h"

namespace baton {

class JsonPlace {
 public:
  /// `value` outlives it; null stands for a member that is absent.
  JsonPlace(const JsonValue* value, std::string path) : value_(value), path_(std::move(path)) {}

  /// The member of that name; absent when there is none, or when this is no object.
  JsonPlace At(absl::string_view key) const;

  /// False for null too: the formats treat both alike.
  bool is_present() const { return value_ != nullptr && !value_->is_null(); }

  /// Errors of all: InvalidArgument with the path.
  absl::StatusOr<std::vector<JsonPlace>> Items() const;
  absl::StatusOr<std::string> String() const;
  absl::StatusOr<bool> Bool() const;
  absl::StatusOr<bool> BoolOr(bool otherwise) const;
  absl::StatusOr<std::int64_t> Int() const;

  /// Refuses this object's members but `known`.
  absl::Status AllowOnly(std::initializer_list<absl::string_view> known) const;

  absl::Status Error(absl::string_view what) const;
  const std::string& path() const { return path_; }

 private:
  const JsonValue* value_;
  std::string path_;
};

/// `text` as it may stand in an error: cut, control bytes escaped.
std::string Quoted(absl::string_view text);

}  // namespace baton
