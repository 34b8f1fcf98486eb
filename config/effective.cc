#include "config/effective.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/check.h"
#include "config/keys.h"
#include "config/settings.h"

namespace baton {
namespace {

/// Keys that say something: the others became them, do nothing, or must stay at their defaults.
std::vector<const Key*> PrintedKeys() {
  std::vector<const Key*> printed;
  for (const Key* key : AllKeys()) {
    if (key->verdict == Verdict::kAccept && !key->secret) printed.push_back(key);
  }
  return printed;
}

/// "file.yaml:12", with the name where it was set by another one.
std::string OriginComment(const LoadedConfig& loaded, const Key& key) {
  const auto found = loaded.origins.find(std::string(key.path));
  if (found == loaded.origins.end()) return "default";
  const Origin& origin = found->second;
  std::string comment = DescribeOrigin(origin);
  const bool renamed = origin.kind == Origin::Kind::kFile && origin.name != key.path;
  if (renamed) absl::StrAppend(&comment, " ", origin.name);
  return comment;
}

const std::string& ValueAt(const LoadedConfig& loaded, const Key& key) {
  return loaded.values.at(std::string(key.path));
}

/// How many leading parts two paths share.
std::size_t SharedParts(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::size_t shared = 0;
  while (shared < a.size() && shared < b.size() && a[shared] == b[shared]) ++shared;
  return shared;
}

/// The value again, from its YAML; it was written by us.
JsonValue Parsed(const Key& key, const std::string& yaml) {
  const YamlTree tree = ParseYaml(yaml);
  BATON_CHECK(tree.errors.empty());
  absl::StatusOr<JsonValue> value = ReadValue(key.type, tree.root, false);
  BATON_CHECK(value.ok());
  double number = 0;
  if (value->AsDouble(&number) && std::isinf(number)) return JsonValue(".inf");
  return *std::move(value);
}

/// One member a line, so that a reader and `diff` can follow.
std::string NestedJson(const LoadedConfig& loaded, const std::vector<const Key*>& keys) {
  std::string out = "{";
  std::vector<std::string> open;  // sections whose brace stands open
  bool first = true;
  for (const Key* key : keys) {
    const std::vector<std::string> parts = absl::StrSplit(key->path, '.');
    const std::vector<std::string> sections(parts.begin(), parts.end() - 1);
    const std::size_t shared = SharedParts(open, sections);
    for (; open.size() > shared; open.pop_back()) {
      absl::StrAppend(&out, "\n", std::string(2 * open.size(), ' '), "}");
      first = false;
    }
    for (std::size_t i = shared; i <= sections.size(); ++i) {
      const bool section = i < sections.size();
      absl::StrAppend(&out, first ? "\n" : ",\n", std::string(2 * (open.size() + 1), ' '));
      AppendJsonString(section ? sections[i] : parts.back(), out);
      absl::StrAppend(&out, section ? ": {" : ": ");
      if (section) open.push_back(sections[i]);
      first = section;
    }
    out += WriteJson(Parsed(*key, ValueAt(loaded, *key)));
  }
  for (; !open.empty(); open.pop_back()) {
    absl::StrAppend(&out, "\n", std::string(2 * open.size(), ' '), "}");
  }
  return out + "\n}\n";
}

}  // namespace

std::string EffectiveYaml(const LoadedConfig& loaded) {
  std::string out;
  std::vector<std::string> before;  // the sections of the line above
  for (const Key* key : PrintedKeys()) {
    const std::vector<std::string> parts = absl::StrSplit(key->path, '.');
    const std::vector<std::string> sections(parts.begin(), parts.end() - 1);
    for (std::size_t i = SharedParts(before, sections); i < sections.size(); ++i) {
      absl::StrAppend(&out, std::string(2 * i, ' '), sections[i], ":\n");
    }
    absl::StrAppend(&out, std::string(2 * sections.size(), ' '), parts.back(), ": ",
                    ValueAt(loaded, *key), "  # ", OriginComment(loaded, *key), "\n");
    before = sections;
  }
  return out;
}

std::string EffectiveJson(const LoadedConfig& loaded) { return NestedJson(loaded, PrintedKeys()); }

std::string EffectiveDiff(const LoadedConfig& before, const LoadedConfig& after) {
  std::string out;
  for (const Key* key : PrintedKeys()) {
    const std::string& old_value = ValueAt(before, *key);
    const std::string& new_value = ValueAt(after, *key);
    if (old_value == new_value) continue;
    absl::StrAppendFormat(&out, "- %s: %s  # %s\n", key->path, old_value,
                          OriginComment(before, *key));
    absl::StrAppendFormat(&out, "+ %s: %s  # %s\n", key->path, new_value,
                          OriginComment(after, *key));
  }
  return out;
}

}  // namespace baton
