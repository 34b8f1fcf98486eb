// The one door to JSON: our own tree, filled from nlohmann's SAX events (base/json.cc).
//
// Insertion order of objects is kept, since it is part of the meaning (templates print tools in the
// client's order). int64, uint64 and double are kept apart. Duplicate keys, broken UTF-8, too deep
// or too large input are refused while they are read.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton {

class JsonValue;

/// An object in insertion order; lookup is by an index once it has over 16 keys.
class JsonObject {
 public:
  using Member = std::pair<std::string, JsonValue>;

  /// The member's value, or null when there is none. Valid until the object changes.
  const JsonValue* Find(absl::string_view key) const;

  /// False when `key` is already there; the object is then unchanged.
  bool Insert(std::string key, JsonValue value);

  const std::vector<Member>& members() const { return members_; }
  std::size_t size() const;

 private:
  std::vector<Member> members_;
  absl::flat_hash_map<std::string, std::size_t> index_;  // filled once there are over 16 members
};

using JsonArray = std::vector<JsonValue>;

/// One JSON value. Cheap to move.
class JsonValue {
 public:
  using Storage = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double,
                               std::string, JsonArray, JsonObject>;

  JsonValue() = default;
  JsonValue(std::nullptr_t) {}                                          // NOLINT: a literal
  JsonValue(bool value) : storage_(value) {}                            // NOLINT: a literal
  JsonValue(int value) : storage_(std::int64_t{value}) {}               // NOLINT: a literal
  JsonValue(std::int64_t value) : storage_(value) {}                    // NOLINT: a literal
  JsonValue(std::uint64_t value);                                       // NOLINT: a literal
  JsonValue(double value) : storage_(value) {}                          // NOLINT: a literal
  JsonValue(std::string value) : storage_(std::move(value)) {}          // NOLINT: a literal
  JsonValue(absl::string_view value) : storage_(std::string(value)) {}  // NOLINT: a literal
  JsonValue(const char* value) : storage_(std::string(value)) {}        // NOLINT: a literal
  JsonValue(JsonArray value) : storage_(std::move(value)) {}            // NOLINT: a literal
  JsonValue(JsonObject value) : storage_(std::move(value)) {}           // NOLINT: a literal

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(storage_); }

  /// The value as that type, or null. Numbers: AsInt takes whole numbers that fit int64 (`5.0`
  /// too), AsDouble takes every number.
  const bool* AsBool() const { return std::get_if<bool>(&storage_); }
  const std::string* AsString() const { return std::get_if<std::string>(&storage_); }
  const JsonArray* AsArray() const { return std::get_if<JsonArray>(&storage_); }
  const JsonObject* AsObject() const { return std::get_if<JsonObject>(&storage_); }
  bool AsInt(std::int64_t* value) const;
  bool AsDouble(double* value) const;

  /// "null", "boolean", "integer", "number", "string", "array", "object": for error messages.
  absl::string_view TypeName() const;

  const Storage& storage() const { return storage_; }

 private:
  Storage storage_ = nullptr;
};

// Here, where a member's type is complete.
inline std::size_t JsonObject::size() const { return members_.size(); }

struct JsonLimits {
  int depth_max = 64;
  std::size_t values_max = 4'000'000;
  /// Errors say which key comes twice: for files of an operator, never for what a client sent.
  bool errors_name_keys = false;
};

/// Errors: InvalidArgument with line and column; never any of the text itself, unless the limits
/// allow it.
absl::StatusOr<JsonValue> ParseJson(absl::string_view text, const JsonLimits& limits = {});

/// An object or array whose members are handed over one by one, as they are read, instead of
/// joining the tree: for tables too large for one. In the tree it stays empty. `take` gets the key
/// (empty in an array) and looks for duplicate keys itself; its error ends the parsing.
struct JsonTable {
  std::vector<std::string> path;  // keys from the root object
  std::function<absl::Status(absl::string_view key, JsonValue value)> take;
};

/// As ParseJson; what is handed over does not count in `limits.values_max`. Errors: those of a
/// `take` too, as they are.
absl::StatusOr<JsonValue> ParseJsonTables(absl::string_view text, std::span<const JsonTable> tables,
                                          const JsonLimits& limits = {});

/// Compact, no ASCII escaping; doubles in shortest round-trip form, NaN and infinities as null.
std::string WriteJson(const JsonValue& value);

/// Builds an object from a list, in order: `MakeJson({{"id", 1}, {"object", "model"}})`.
JsonObject MakeJson(std::initializer_list<std::pair<absl::string_view, JsonValue>> members);

/// Appends `text` to `out` as a quoted JSON string.
void AppendJsonString(absl::string_view text, std::string& out);

}  // namespace baton
