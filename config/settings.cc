#include "config/settings.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/check.h"
#include "config/aliases.h"

namespace baton {
namespace {

/// Errors told of one configuration; a file of a megabyte of nonsense must not fill the terminal.
constexpr std::size_t kErrorsMax = 200;

}  // namespace

void Findings::Error(absl::string_view where, absl::string_view key, absl::string_view message) {
  if (errors_.size() > kErrorsMax) return;
  if (errors_.size() == kErrorsMax) {
    errors_.push_back("further errors are left out");
    return;
  }
  std::string text(where);
  for (absl::string_view part : {key, message}) {
    if (!text.empty() && !part.empty()) text += ": ";
    absl::StrAppend(&text, part);
  }
  errors_.push_back(std::move(text));
}

void Findings::Warn(std::string text) {
  if (notices_.size() < kErrorsMax) notices_.push_back({Notice::Severity::kWarn, std::move(text)});
}

void Findings::Info(std::string text) {
  if (notices_.size() < kErrorsMax) notices_.push_back({Notice::Severity::kInfo, std::move(text)});
}

bool Findings::Full() const { return errors_.size() > kErrorsMax || notices_.size() >= kErrorsMax; }

std::string DescribeOrigin(const Origin& origin) {
  switch (origin.kind) {
    case Origin::Kind::kDefault:
      return "";
    case Origin::Kind::kFile:
      return absl::StrFormat("%s:%d", origin.file, origin.line);
    case Origin::Kind::kLmcacheEnv:
    case Origin::Kind::kBatonEnv:
      return absl::StrCat("environment ", origin.name);
    case Origin::Kind::kFlag:
      return origin.name;
  }
  return "";
}

bool SameValue(const JsonValue& a, const JsonValue& b) {
  double left = 0;
  double right = 0;
  if (a.AsDouble(&left) && b.AsDouble(&right)) return left == right;
  return WriteYamlValue(a) == WriteYamlValue(b);
}

Settings::Settings() {
  for (const Key* key : AllKeys()) {
    const bool first = by_path_.emplace(std::string(key->path), all_.size()).second;
    BATON_CHECK(first);  // the table names a key once
    JsonValue value = DefaultOf(*key);
    defaults_.push_back(value);
    all_.push_back({key, std::move(value), {}});
  }
}

Setting& Settings::Find(absl::string_view path) {
  const Key* const key = FindKey(path);
  BATON_CHECK(key != nullptr);
  return all_[by_path_.at(std::string(key->path))];
}

const Setting& Settings::At(absl::string_view path) const {
  return all_[by_path_.at(std::string(path))];
}

bool Settings::IsSet(absl::string_view path) const {
  return At(path).origin.kind != Origin::Kind::kDefault;
}

bool Settings::IsAwayFromDefault(const Setting& setting) const {
  const std::size_t index = by_path_.at(std::string(setting.key->path));
  return !SameValue(setting.value, defaults_[index]);
}

bool Settings::AnyWrittenWithPrefix(absl::string_view prefix) const {
  for (const std::string& name : written_) {
    if (absl::StartsWith(name, prefix)) return true;
  }
  return false;
}

void Settings::Apply(const std::vector<Entry>& source, Findings& findings) {
  std::map<std::string, Entry> seen;  // by path
  for (const Entry& entry : source) ApplyOne(entry, seen, findings);
}

void Settings::ApplyOne(const Entry& entry, std::map<std::string, Entry>& seen,
                        Findings& findings) {
  const Alias* const alias = FindAlias(entry.name);
  const std::string path(alias != nullptr ? alias->path : absl::string_view(entry.name));
  const std::string where = DescribeOrigin(entry.origin);
  Setting& setting = Find(path);
  const bool environment = entry.origin.kind == Origin::Kind::kLmcacheEnv ||
                           entry.origin.kind == Origin::Kind::kBatonEnv;
  absl::StatusOr<JsonValue> value = ReadValue(setting.key->type, entry.value, environment);
  if (!value.ok()) {
    const bool secret = setting.key->secret;
    findings.Error(where, entry.name,
                   secret ? absl::StrCat("expected ", DescribeType(setting.key->type))
                          : std::string(value.status().message()));
    return;
  }
  written_.push_back(entry.name);
  if (alias != nullptr) {
    findings.Warn(absl::StrFormat("%s: %s is deprecated, use %s", where, entry.name, path));
  }
  const std::size_t index = by_path_.at(std::string(setting.key->path));
  JsonValue meant = value->is_null() ? defaults_[index] : *std::move(value);
  const auto [before, first] = seen.emplace(path, entry);
  const bool last_wins = entry.origin.kind == Origin::Kind::kFlag;
  if (!first && !last_wins && !SameValue(meant, setting.value)) {
    findings.Error(
        where, entry.name,
        absl::StrFormat("says something else than %s at %s, and both mean %s; keep one",
                        before->second.name, DescribeOrigin(before->second.origin), path));
    return;
  }
  setting.value = std::move(meant);
  setting.origin = entry.origin;
}

void Settings::Map(absl::string_view path, JsonValue value, const Origin& origin,
                   Findings& findings) {
  Setting& setting = Find(path);
  if (setting.origin.kind > origin.kind) return;
  const bool equal_rank = setting.origin.kind == origin.kind;
  if (equal_rank && !SameValue(setting.value, value)) {
    findings.Error(DescribeOrigin(origin), origin.name,
                   absl::StrFormat("says something else than %s at %s, and both mean %s; keep one",
                                   setting.origin.name, DescribeOrigin(setting.origin), path));
    return;
  }
  Replace(path, std::move(value), origin);
}

void Settings::Replace(absl::string_view path, JsonValue value, const Origin& origin) {
  Setting& setting = Find(path);
  setting.value = std::move(value);
  setting.origin = origin;
}

}  // namespace baton
