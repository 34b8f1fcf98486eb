// Types of knobs: what a key takes, how that is read from any source, and how it is written again.
// A value in its canonical form is a JsonValue: null (nothing said), boolean, integer, number,
// text, list, object. Synonyms are gone by then: `bfloat16` and `bf16` are one value.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/json.h"
#include "config/tree.h"

namespace baton {

/// What a text, or each item of a list, must be beyond text. Null = anything.
struct TextRule {
  const char* expected = nullptr;  // "an address such as 127.0.0.1:7500"
  bool (*holds)(absl::string_view text) = nullptr;
};

/// What is inside a map.
enum class MapShape {
  kAnything,  // extra_config
  kClasses,   // name: {ttft_ms, itl_ms}
  kIntegers,  // name: integer
  kLists,     // name: list of numbers
};

/// The type of one key, with its bounds. Built by the functions below.
struct ValueType {
  enum class Kind { kBoolean, kInteger, kNumber, kBytes, kGib, kText, kChoice, kList, kMap };

  Kind kind = Kind::kText;
  std::int64_t min = 0;  // kInteger, kBytes
  std::int64_t max = 0;
  double number_min = 0;  // kNumber, kGib
  double number_max = 0;  // infinity: `.inf` is allowed
  /// kChoice: "auto|bf16=bfloat16": the canonical word, then its synonyms. Other kinds: words that
  /// are allowed in the place of a value ("auto").
  const char* choices = "";
  const char* unit = "";  // of a plain number, for people
  TextRule rule = {};          // kText, kList
  bool single = false;    // kList: one scalar may stand for a list of one
  MapShape shape = MapShape::kAnything;
};

inline constexpr std::int64_t kIntMax = std::numeric_limits<int>::max();
inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

constexpr ValueType Boolean() { return {.kind = ValueType::Kind::kBoolean}; }
constexpr ValueType Integer(std::int64_t min, std::int64_t max, const char* unit) {
  return {.kind = ValueType::Kind::kInteger, .min = min, .max = max, .unit = unit};
}
constexpr ValueType IntegerOr(const char* word, std::int64_t min, const char* unit) {
  return {
      .kind = ValueType::Kind::kInteger, .min = min, .max = kIntMax, .choices = word, .unit = unit};
}
constexpr ValueType Number(double min, double max, const char* unit) {
  return {.kind = ValueType::Kind::kNumber, .number_min = min, .number_max = max, .unit = unit};
}
constexpr ValueType Bytes() {
  return {.kind = ValueType::Kind::kBytes, .min = 0, .max = 1LL << 53, .unit = "bytes"};
}
constexpr ValueType Gib() {
  return {.kind = ValueType::Kind::kGib, .number_min = 0, .number_max = 1 << 20, .unit = "GiB"};
}
constexpr ValueType Text(TextRule rule = {}) {
  return {.kind = ValueType::Kind::kText, .rule = rule};
}
constexpr ValueType OneOf(const char* choices) {
  return {.kind = ValueType::Kind::kChoice, .choices = choices};
}
constexpr ValueType List(TextRule rule = {}) {
  return {.kind = ValueType::Kind::kList, .rule = rule};
}
constexpr ValueType ListOr(const char* word, TextRule rule) {
  return {.kind = ValueType::Kind::kList, .choices = word, .rule = rule};
}
constexpr ValueType OneOrList(TextRule rule = {}) {
  return {.kind = ValueType::Kind::kList, .rule = rule, .single = true};
}
constexpr ValueType Map(MapShape shape) { return {.kind = ValueType::Kind::kMap, .shape = shape}; }

/// Reads one value. `environment` adds the customs of that place: `1` and `0` are booleans, lists
/// go by commas. Null stays null: it means the default. Errors: InvalidArgument, "expected X, got
/// Y", without the key's name.
absl::StatusOr<JsonValue> ReadValue(const ValueType& type, const YamlNode& node, bool environment);

/// "an integer from 0 to 65535", "one of auto, cpu": completes "expected ...".
std::string DescribeType(const ValueType& type);

/// On one line, such that ReadValue of it gives the same value again: text is quoted wherever a
/// reader could take it for something else.
std::string WriteYamlValue(const JsonValue& value);

}  // namespace baton
