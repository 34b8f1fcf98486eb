// Reads typed members of a client's JSON object and remembers the first thing that is wrong, with
// its JSON path. Null equals absent. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/json.h"
#include "server/http/http_error.h"

namespace baton {

/// A 400 that names the field. `code` is empty or an OpenAI code.
HttpError FieldError(absl::string_view param, absl::string_view message,
                     absl::string_view code = {});

/// A 400 `unsupported_value`: the field is known, its value cannot be honoured.
HttpError UnsupportedError(absl::string_view param, absl::string_view message);

class FieldReader {
 public:
  /// `path` stands before every name: "" or "stream_options.". The object outlives the reader.
  FieldReader(const JsonObject& object, std::string path)
      : object_(object), path_(std::move(path)) {}

  /// The member; null when it is absent or null.
  const JsonValue* Find(absl::string_view name) const;

  std::optional<bool> Bool(absl::string_view name);
  std::optional<std::int64_t> Int(absl::string_view name);
  std::optional<double> Number(absl::string_view name);
  std::optional<std::string> String(absl::string_view name);
  const JsonArray* Array(absl::string_view name);
  const JsonObject* Object(absl::string_view name);

  /// Like Int, but takes the whole of both 64-bit ranges as bits: for seeds.
  std::optional<std::uint64_t> Bits(absl::string_view name);

  /// Remembers `error` if it is the first.
  void Fail(HttpError error);

  std::string PathOf(absl::string_view name) const { return path_ + std::string(name); }
  const std::optional<HttpError>& error() const { return error_; }

 private:
  void FailType(absl::string_view name, absl::string_view wanted, const JsonValue& got);

  const JsonObject& object_;
  const std::string path_;
  std::optional<HttpError> error_;
};

}  // namespace baton
