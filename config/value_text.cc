// The textual side of config/value.h: what a type expects, and a value as YAML.
#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "config/scalar.h"
#include "config/value.h"

namespace baton {
namespace {

std::string DescribeRange(absl::string_view noun, const ValueType& type) {
  std::string text(noun);
  if (type.kind == ValueType::Kind::kInteger) {
    absl::StrAppend(&text, type.max >= kIntMax
                               ? absl::StrCat(" of at least ", type.min)
                               : absl::StrCat(" from ", type.min, " to ", type.max));
  } else if (std::isinf(type.number_max)) {
    absl::StrAppend(&text, " of at least ", type.number_min, ", or .inf");
  } else {
    absl::StrAppend(&text, " from ", type.number_min, " to ", type.number_max);
  }
  if (*type.unit != '\0') absl::StrAppend(&text, " (", type.unit, ")");
  return text;
}

std::string CanonicalWords(const char* choices) {
  std::vector<std::string> words;
  for (absl::string_view choice : absl::StrSplit(choices, '|', absl::SkipEmpty())) {
    words.emplace_back(choice.substr(0, choice.find('=')));
  }
  return absl::StrJoin(words, ", ");
}

std::string DescribeMap(MapShape shape) {
  switch (shape) {
    case MapShape::kAnything:
      return "a map";
    case MapShape::kClasses:
      return "a map of classes, each {ttft_ms: 1.., itl_ms: 1..}";
    case MapShape::kIntegers:
      return "a map of names to integers";
    case MapShape::kLists:
      return "a map of names to lists of numbers";
  }
  return "a map";
}

std::string DescribeKind(const ValueType& type) {
  switch (type.kind) {
    case ValueType::Kind::kBoolean:
      return "true or false";
    case ValueType::Kind::kInteger:
      return DescribeRange("an integer", type);
    case ValueType::Kind::kNumber:
      return DescribeRange("a number", type);
    case ValueType::Kind::kBytes:
      return "a size in bytes such as 512MiB or 5GiB";
    case ValueType::Kind::kGib:
      return "a size in GiB such as 5.0 or 512MiB";
    case ValueType::Kind::kText:
      return type.rule.expected != nullptr ? type.rule.expected : "text";
    case ValueType::Kind::kChoice:
      return absl::StrCat("one of ", CanonicalWords(type.choices));
    case ValueType::Kind::kList:
      return absl::StrCat("a list [a, b] of ",
                          type.rule.expected != nullptr ? type.rule.expected : "texts");
    case ValueType::Kind::kMap:
      return DescribeMap(type.shape);
  }
  return "a value";
}

/// Plain text that every reader takes for text.
bool IsPlainText(absl::string_view text) {
  if (text.empty() || !absl::ascii_isalpha(static_cast<unsigned char>(text[0]))) return false;
  for (const char c : text) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' ||
                       c == '.' || c == '/';
    if (!plain) return false;
  }
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == "null" || lower == "y" || lower == "n") return false;
  return !ParseBoolean(lower, false).has_value();
}

void Append(const JsonValue& value, std::string& out) {
  if (const std::string* text = value.AsString()) {
    if (IsPlainText(*text)) {
      out += *text;
    } else {
      AppendJsonString(*text, out);
    }
    return;
  }
  if (const JsonArray* list = value.AsArray()) {
    out += '[';
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (i > 0) out += ", ";
      Append((*list)[i], out);
    }
    out += ']';
    return;
  }
  const JsonObject* const map = value.AsObject();
  double number = 0;
  if (map == nullptr) {
    const bool infinite = value.AsDouble(&number) && std::isinf(number);
    out += infinite ? ".inf" : WriteJson(value);
    return;
  }
  out += '{';
  for (std::size_t i = 0; i < map->size(); ++i) {
    if (i > 0) out += ", ";
    Append(JsonValue(map->members()[i].first), out);
    out += ": ";
    Append(map->members()[i].second, out);
  }
  out += '}';
}

}  // namespace

std::string DescribeType(const ValueType& type) {
  const bool word_beside = type.kind != ValueType::Kind::kChoice && *type.choices != '\0';
  if (!word_beside) return DescribeKind(type);
  return absl::StrCat(DescribeKind(type), ", or ", CanonicalWords(type.choices));
}

std::string WriteYamlValue(const JsonValue& value) {
  std::string out;
  Append(value, out);
  return out;
}

}  // namespace baton
