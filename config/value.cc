#include "config/value.h"

#include <cmath>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "config/scalar.h"

namespace baton {
namespace {

absl::Status Expected(const ValueType& type, const YamlNode& node) {
  std::string message =
      absl::StrFormat("expected %s, got %s", DescribeType(type), DescribeNode(node));
  const bool number = type.kind == ValueType::Kind::kInteger ||
                      type.kind == ValueType::Kind::kNumber ||
                      type.kind == ValueType::Kind::kBytes || type.kind == ValueType::Kind::kGib;
  if (number && !node.quoted && LooksOctal(node.text)) {
    message += " (readers differ on whether a leading zero means base 8; write it without)";
  }
  return absl::InvalidArgumentError(message);
}

/// The canonical word that `text` names, in any case.
std::optional<std::string> FindChoice(const char* choices, absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  for (absl::string_view choice : absl::StrSplit(choices, '|', absl::SkipEmpty())) {
    const std::vector<std::string> words = absl::StrSplit(choice, '=');
    for (const std::string& word : words) {
      if (absl::AsciiStrToLower(word) == lower) return words[0];
    }
  }
  return std::nullopt;
}

absl::StatusOr<JsonValue> ReadInteger(const ValueType& type, const YamlNode& node) {
  const std::optional<std::int64_t> value =
      type.kind == ValueType::Kind::kBytes ? ParseBytes(node.text) : ParseInteger(node.text);
  if (node.quoted || !value || *value < type.min || *value > type.max) return Expected(type, node);
  return JsonValue(*value);
}

absl::StatusOr<JsonValue> ReadNumber(const ValueType& type, const YamlNode& node) {
  constexpr double kGib = 1 << 30;
  std::optional<double> value = ParseNumber(node.text);
  if (!value && type.kind == ValueType::Kind::kGib) {
    if (const std::optional<std::int64_t> bytes = ParseBytes(node.text)) {
      value = static_cast<double>(*bytes) / kGib;
    }
  }
  const bool infinite = value && std::isinf(*value);
  if (!value || (node.quoted && !infinite)) return Expected(type, node);  // JSON quotes ".inf"
  if (*value < type.number_min || *value > type.number_max) return Expected(type, node);
  return JsonValue(*value);
}

absl::StatusOr<JsonValue> ReadText(const ValueType& type, const YamlNode& node) {
  if (type.rule.holds != nullptr && !type.rule.holds(node.text)) return Expected(type, node);
  return JsonValue(node.text);
}

absl::StatusOr<JsonValue> ReadScalar(const ValueType& type, const YamlNode& node,
                                     bool environment) {
  if (std::optional<std::string> word = FindChoice(type.choices, node.text)) {
    return JsonValue(*std::move(word));
  }
  switch (type.kind) {
    case ValueType::Kind::kBoolean: {
      const std::optional<bool> value = ParseBoolean(node.text, environment);
      if (node.quoted || !value) return Expected(type, node);
      return JsonValue(*value);
    }
    case ValueType::Kind::kInteger:
    case ValueType::Kind::kBytes:
      return ReadInteger(type, node);
    case ValueType::Kind::kNumber:
    case ValueType::Kind::kGib:
      return ReadNumber(type, node);
    case ValueType::Kind::kText:
      return ReadText(type, node);
    case ValueType::Kind::kChoice:
    case ValueType::Kind::kList:
    case ValueType::Kind::kMap:
      break;
  }
  return Expected(type, node);
}

absl::StatusOr<JsonValue> ReadList(const ValueType& type, const YamlNode& node) {
  JsonArray list;
  for (const YamlNode& item : node.items) {
    const bool good = item.kind == YamlNode::Kind::kScalar &&
                      (type.rule.holds == nullptr || type.rule.holds(item.text));
    if (!good) {
      return absl::InvalidArgumentError(
          absl::StrFormat("expected %s, got %s in it", DescribeType(type), DescribeNode(item)));
    }
    list.emplace_back(item.text);
  }
  return JsonValue(std::move(list));
}

YamlNode SplitByCommas(const YamlNode& node) {
  YamlNode list = node;
  list.kind = YamlNode::Kind::kList;
  for (absl::string_view part : absl::StrSplit(node.text, ',', absl::SkipWhitespace())) {
    YamlNode item = node;
    item.text = std::string(absl::StripAsciiWhitespace(part));
    list.items.push_back(std::move(item));
  }
  return list;
}

/// What a node is by its looks, where no type says more (inside extra_config).
JsonValue Untyped(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return JsonValue();
    case YamlNode::Kind::kScalar:
      break;
    case YamlNode::Kind::kList: {
      JsonArray list;
      for (const YamlNode& item : node.items) list.push_back(Untyped(item));
      return JsonValue(std::move(list));
    }
    case YamlNode::Kind::kMap: {
      JsonObject map;
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        map.Insert(node.keys[i], Untyped(node.items[i]));
      }
      return JsonValue(std::move(map));
    }
  }
  if (node.quoted) return JsonValue(node.text);
  if (const auto boolean = ParseBoolean(node.text, false)) return JsonValue(*boolean);
  if (const auto integer = ParseInteger(node.text)) return JsonValue(*integer);
  const auto number = ParseNumber(node.text);
  return number ? JsonValue(*number) : JsonValue(node.text);
}

bool IsListOfNumbers(const JsonValue& value) {
  if (value.AsArray() == nullptr) return false;
  double number = 0;
  for (const JsonValue& item : *value.AsArray()) {
    if (!item.AsDouble(&number)) return false;
  }
  return true;
}

bool IsBudget(const JsonValue& value) {
  if (value.AsObject() == nullptr) return false;
  for (const auto& [name, budget] : value.AsObject()->members()) {
    std::int64_t ms = 0;
    if (name != "ttft_ms" && name != "itl_ms") return false;
    if (!budget.AsInt(&ms) || ms < 1 || ms > kIntMax) return false;
  }
  return true;
}

bool HasShape(MapShape shape, const JsonValue& value) {
  std::int64_t integer = 0;
  switch (shape) {
    case MapShape::kAnything:
      return true;
    case MapShape::kClasses:
      return IsBudget(value);
    case MapShape::kIntegers:
      return value.AsInt(&integer);
    case MapShape::kLists:
      return IsListOfNumbers(value);
  }
  return false;
}

absl::StatusOr<JsonValue> ReadMap(const ValueType& type, const YamlNode& node) {
  JsonValue map = Untyped(node);
  for (const auto& [name, value] : map.AsObject()->members()) {
    if (HasShape(type.shape, value)) continue;
    return absl::InvalidArgumentError(
        absl::StrFormat("expected %s, got something else at '%s'", DescribeType(type), name));
  }
  return map;
}

}  // namespace

absl::StatusOr<JsonValue> ReadValue(const ValueType& type, const YamlNode& node, bool environment) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return JsonValue();
    case YamlNode::Kind::kList:
      return type.kind == ValueType::Kind::kList ? ReadList(type, node) : Expected(type, node);
    case YamlNode::Kind::kMap:
      return type.kind == ValueType::Kind::kMap ? ReadMap(type, node) : Expected(type, node);
    case YamlNode::Kind::kScalar:
      break;
  }
  const bool word = FindChoice(type.choices, node.text).has_value();
  if (type.kind == ValueType::Kind::kList && !word) {
    if (environment) return ReadList(type, SplitByCommas(node));
    if (!type.single) return Expected(type, node);
    YamlNode list = node;
    list.kind = YamlNode::Kind::kList;
    list.items = {node};
    return ReadList(type, list);
  }
  return ReadScalar(type, node, environment);
}

}  // namespace baton
