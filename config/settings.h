// All knobs with their values while a configuration is put together: source by source, the weakest
// first, each stronger one replacing what it names. Two names for one knob in one source must
// agree.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "config/keys.h"
#include "config/load.h"

namespace baton {

/// A line of a source: a name as it was written, its value, and where.
struct Entry {
  std::string name;  // a path of the table, or an alias
  YamlNode value;
  Origin origin;
};

/// What goes wrong, collected: every error of a configuration is told at once.
class Findings {
 public:
  /// `where` may be empty (for what belongs to no line).
  void Error(absl::string_view where, absl::string_view key, absl::string_view message);
  void Warn(std::string text);
  void Info(std::string text);

  /// True once so much was found that more would help nobody.
  bool Full() const;

  const std::vector<std::string>& errors() const { return errors_; }
  const std::vector<Notice>& notices() const { return notices_; }

 private:
  std::vector<std::string> errors_;
  std::vector<Notice> notices_;
};

/// "lmcache.yaml:12", "environment BATON_ROUTER__PORT", "--port"; empty for a default.
std::string DescribeOrigin(const Origin& origin);

/// One knob's value and its source.
struct Setting {
  const Key* key = nullptr;
  JsonValue value;
  Origin origin;
};

class Settings {
 public:
  /// Every row of the table at its default.
  Settings();

  /// Reads one source. Of two entries for one knob the second must say the same, or is an error;
  /// on the command line it wins, as is the custom there.
  void Apply(const std::vector<Entry>& source, Findings& findings);

  /// Gives `path` a value that another key or a rule stands for. Loses against a stronger origin;
  /// against an equal one it must say the same, or is an error that names both.
  void Map(absl::string_view path, JsonValue value, const Origin& origin, Findings& findings);

  /// Gives `path` a value whatever it has.
  void Replace(absl::string_view path, JsonValue value, const Origin& origin);

  /// The setting of a row; the path must be in the table.
  const Setting& At(absl::string_view path) const;

  /// True where some source names the knob, though it may be by an alias.
  bool IsSet(absl::string_view path) const;

  /// True where the value differs from the row's default.
  bool IsAwayFromDefault(const Setting& setting) const;

  /// True where a name that begins so was written as such in some source.
  bool AnyWrittenWithPrefix(absl::string_view prefix) const;

  /// In the table's order.
  const std::vector<Setting>& all() const { return all_; }

 private:
  void ApplyOne(const Entry& entry, std::map<std::string, Entry>& seen, Findings& findings);
  Setting& Find(absl::string_view path);

  std::vector<Setting> all_;
  std::vector<JsonValue> defaults_;             // parallel to all_
  std::map<std::string, std::size_t> by_path_;  // index into all_
  std::vector<std::string> written_;            // names as written, all sources
};

/// Equal as values: `5` and `5.0` are, texts and lists by content.
bool SameValue(const JsonValue& a, const JsonValue& b);

}  // namespace baton
