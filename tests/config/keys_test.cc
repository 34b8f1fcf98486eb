// The table of keys against itself: each row is read once with a good value and once with a bad
// one.
#include "config/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "config/aliases.h"
#include "config/landing.h"
#include "config/settings.h"

namespace baton {
namespace {

/// Texts to try for a row, in the hope that its rule takes one of them.
const char* const kSampleTexts[] = {"127.0.0.2",    "127.0.0.3:7501",  "7301", "cpu", "tcp",
                                    "vllm",         "LocalCPUBackend", "UCX",  "fs",  "x",
                                    "file:///a/dir"};

YamlNode Parsed(const std::string& yaml) {
  YamlTree tree = ParseYaml(yaml);
  EXPECT_TRUE(tree.errors.empty()) << yaml;
  return tree.root;
}

/// YAML texts that might be a value of the type; at least one must be, and differ from the default.
std::vector<std::string> Candidates(const ValueType& type) {
  switch (type.kind) {
    case ValueType::Kind::kBoolean:
      return {"true", "false"};
    case ValueType::Kind::kInteger:
      return {absl::StrCat(type.min), absl::StrCat(type.min + 1)};
    case ValueType::Kind::kNumber:
      return {"0.125", absl::StrCat(type.number_min)};
    case ValueType::Kind::kBytes:
      return {"3MiB"};
    case ValueType::Kind::kGib:
      return {"7.5"};
    case ValueType::Kind::kChoice: {
      std::vector<std::string> words = absl::StrSplit(type.choices, '|');
      for (std::string& word : words) word = word.substr(0, word.find('='));
      return words;
    }
    case ValueType::Kind::kText:
      return {std::begin(kSampleTexts), std::end(kSampleTexts)};
    case ValueType::Kind::kList: {
      std::vector<std::string> lists;
      for (const char* text : kSampleTexts) lists.push_back(absl::StrCat("['", text, "']"));
      return lists;
    }
    case ValueType::Kind::kMap:
      break;
  }
  switch (type.shape) {
    case MapShape::kAnything:
      return {"{use_odirect: true}"};
    case MapShape::kClasses:
      return {"{batch: {ttft_ms: 7}}"};
    case MapShape::kIntegers:
      return {"{body_bytes_max: 5}"};
    case MapShape::kLists:
      return {"{step_seconds: [0.5, 1]}"};
  }
  return {};
}

/// A value that is good and not the default; null when no candidate is.
JsonValue SampleOf(const Key& key) {
  const JsonValue default_value = DefaultOf(key);
  for (const std::string& candidate : Candidates(key.type)) {
    const auto value = ReadValue(key.type, Parsed(candidate), false);
    if (value.ok() && !SameValue(*value, default_value)) return *value;
  }
  return JsonValue();
}

/// The field of a row as text, to compare; empty for a row without a field.
struct FieldText {
  Config& config;
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(Field<bool> field) const { return absl::StrCat(field(config)); }
  std::string operator()(Field<int> field) const { return absl::StrCat(field(config)); }
  std::string operator()(Field<std::uint32_t> field) const { return absl::StrCat(field(config)); }
  std::string operator()(Field<std::uint64_t> field) const { return absl::StrCat(field(config)); }
  std::string operator()(Field<double> field) const { return absl::StrCat(field(config)); }
  std::string operator()(Field<std::string> field) const { return field(config); }
  std::string operator()(Field<std::vector<std::string>> field) const {
    return absl::StrJoin(field(config), ",");
  }
  std::string operator()(Field<std::optional<bool>> field) const {
    return field(config) ? absl::StrCat(*field(config)) : "none";
  }
  std::string operator()(Field<std::map<std::string, ClassConfig>> field) const {
    std::string text;
    for (const auto& [name, value] : field(config)) {
      absl::StrAppend(&text, name, "=", value.ttft_ms, "/", value.itl_ms, " ");
    }
    return text;
  }
  template <typename V>
  std::string operator()(Field<std::map<std::string, V>> field) const {
    std::string text;
    for (const auto& [name, value] : field(config)) absl::StrAppend(&text, name, "=", value, " ");
    return text;
  }
};

std::string TextOf(const Key& key, Config& config) {
  return std::visit(FieldText{config}, key.landing);
}

TEST(KeysTest, EveryRowHasAHelpLineAndIsNamedOnce) {
  std::set<std::string> paths;
  for (const Key* key : AllKeys()) {
    EXPECT_TRUE(paths.insert(std::string(key->path)).second) << key->path;
    EXPECT_FALSE(key->help.empty()) << key->path;
    EXPECT_FALSE(absl::StrContains(key->help, "\n")) << key->path;
    EXPECT_FALSE(IsSection(key->path)) << key->path;
  }
  EXPECT_GT(paths.size(), 200u);
}

TEST(KeysTest, EveryKeyTakesAGoodValueAndLandsIt) {
  for (const Key* key : AllKeys()) {
    const JsonValue sample = SampleOf(*key);
    ASSERT_FALSE(sample.is_null()) << key->path;
    Settings settings;
    Findings findings;
    settings.Apply({{std::string(key->path),
                     Parsed(WriteYamlValue(sample)),
                     {Origin::Kind::kFile, "f", 1, std::string(key->path)}}},
                   findings);
    EXPECT_TRUE(findings.errors().empty()) << findings.errors()[0];
    EXPECT_TRUE(SameValue(settings.At(key->path).value, sample)) << key->path;
    Config landed;
    Config untouched;
    Land(settings, landed);
    const bool has_field = !std::holds_alternative<std::monostate>(key->landing);
    EXPECT_EQ(TextOf(*key, landed) != TextOf(*key, untouched), has_field) << key->path;
  }
}

TEST(KeysTest, EveryKeyRefusesAWrongType) {
  for (const Key* key : AllKeys()) {
    const bool list = key->type.kind == ValueType::Kind::kList;
    const bool map = key->type.kind == ValueType::Kind::kMap;
    const auto wrong = ReadValue(key->type, Parsed(list ? "{a: 1}" : map ? "word" : "[a]"), false);
    ASSERT_FALSE(wrong.ok()) << key->path;
    EXPECT_TRUE(absl::StartsWith(wrong.status().message(), "expected ")) << key->path;
    const bool free_text = key->type.kind == ValueType::Kind::kText ||
                           (list && key->type.rule.holds == nullptr && key->type.single);
    if (free_text && key->type.rule.holds == nullptr) continue;  // takes every word
    EXPECT_FALSE(ReadValue(key->type, Parsed("'no such ? word'"), false).ok()) << key->path;
  }
}

TEST(KeysTest, DefaultsOfTheTableAreThoseOfTheStruct) {
  Config from_table;
  Config from_struct;
  Land(Settings(), from_table);
  for (const Key* key : AllKeys()) {
    EXPECT_EQ(TextOf(*key, from_table), TextOf(*key, from_struct)) << key->path;
  }
}

TEST(KeysTest, EveryBoundOfARowFitsItsField) {
  for (const Key* key : AllKeys()) {
    if (key->type.kind != ValueType::Kind::kInteger) continue;
    const bool narrow = std::holds_alternative<Field<int>>(key->landing) ||
                        std::holds_alternative<Field<std::uint32_t>>(key->landing);
    EXPECT_TRUE(!narrow || key->type.max <= kIntMax) << key->path;
    const bool positive = std::holds_alternative<Field<std::uint32_t>>(key->landing) ||
                          std::holds_alternative<Field<std::uint64_t>>(key->landing);
    EXPECT_TRUE(!positive || key->type.min >= 0) << key->path;
  }
}

TEST(KeysTest, EveryAliasNamesAKeyAndIsNone) {
  for (const Alias& alias : Aliases()) {
    EXPECT_NE(FindKey(alias.path), nullptr) << alias.old_name;
    EXPECT_EQ(FindKey(alias.old_name), nullptr) << alias.old_name;
  }
}

}  // namespace
}  // namespace baton
