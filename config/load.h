// From text to a `Config`: every source of a knob (file, environment, command line) comes in as
// values, every error of all of them goes out at once. Pure: it reads no file, no environment and
// no clock, so that a test can hand it anything. The shell reads the file, loads, logs the notices.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "config/config.h"

namespace baton {

/// Who reads the configuration. `kAny`: `baton up`, `baton generate` and `check-config` without
/// `--role`: what holds for one role alone is then not checked.
enum class Role { kAny, kRouter, kPrefill, kDecode };

/// "any", "router", "prefill", "decode".
absl::string_view RoleName(Role role);

/// One knob set on the command line.
struct FlagSetting {
  std::string path;      // as in a file, levels joined by '.': "router.port", "chunk_size"
  std::string value;     // YAML: "8000", "[tcp, shm]"; text that must stay text is quoted
  std::string spelling;  // as the user wrote it, for messages: "--port", "--set router.port"
};

/// All that a configuration is made of, from the weakest source to the strongest. The defaults
/// stand in the table of keys.
struct LoadInputs {
  Role role = Role::kAny;
  std::string file_name;  // for messages and origins; empty = no file
  std::string file_text;
  /// The whole environment; only LMCACHE_* and BATON_* are looked at.
  std::map<std::string, std::string> environment;
  std::vector<FlagSetting> flags;  // of two for one path the later wins
  bool lenient = false;            // unknown keys of the file warn in place of failing
};

/// What the operator must hear about a configuration that is good enough to start.
struct Notice {
  enum class Severity { kInfo, kWarn };
  Severity severity = Severity::kInfo;
  std::string text;  // one line, no key material
};

/// Where a knob's value comes from.
struct Origin {
  enum class Kind { kDefault, kFile, kLmcacheEnv, kBatonEnv, kFlag };  // weakest first
  Kind kind = Kind::kDefault;
  std::string file;  // kFile
  int line = 0;      // kFile, from 1
  std::string name;  // the name it was set by: a key, a variable, a flag; empty for a default
};

/// A knob as it came out: which, its canonical value (config/value.h), and who said so.
struct LoadedConfig {
  Config config;
  std::vector<Notice> notices;
  /// By path, for every knob that is not at its default's origin.
  std::map<std::string, Origin> origins;
  /// By path, the canonical value of every knob as YAML, defaults included. Secrets are not masked
  /// here: print it through config/effective.h.
  std::map<std::string, std::string> values;
};

/// Loads and checks. Notices come in this order: warnings, ignored keys, keys without effect yet.
/// Errors: InvalidArgument; all errors of all sources, one a line, each `where: key: expected X,
/// got Y; did you mean Z`, where `where` is `file:line`, `environment NAME` or a flag.
absl::StatusOr<LoadedConfig> LoadConfig(const LoadInputs& inputs);

/// The file that the environment names, for a command line without `--config`: BATON_CONFIG_FILE,
/// then LMCACHE_CONFIG_FILE; empty when neither is set.
std::string ConfigFileFromEnvironment(const std::map<std::string, std::string>& environment);

}  // namespace baton
