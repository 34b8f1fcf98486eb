// The handlers of server/cli/flag_handlers.h that set knobs, or say why they do not.
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "config/scalar.h"
#include "server/cli/flag_handlers.h"

namespace baton {
namespace {

/// The paths that `path` means under a subcommand.
std::vector<std::string> PathsOf(absl::string_view path, Subcommand subcommand) {
  const std::string text(path);
  if (text.rfind("ROLE.", 0) != 0) return {text};
  std::vector<std::string> paths;
  if (subcommand != Subcommand::kDecode) {
    paths.push_back(absl::StrReplaceAll(text, {{"ROLE", "prefill"}}));
  }
  if (subcommand != Subcommand::kPrefill) {
    paths.push_back(absl::StrReplaceAll(text, {{"ROLE", "decode"}}));
  }
  return paths;
}

/// vLLM's numbers of tokens: 32k is 32,000 and 32K is 32,768.
std::optional<std::int64_t> ReadTokens(absl::string_view text) {
  double unit = 1;
  const char last = text.empty() ? ' ' : text.back();
  if (last == 'k') unit = 1e3;
  if (last == 'm') unit = 1e6;
  if (last == 'K') unit = 1024;
  if (last == 'M') unit = 1024 * 1024;
  if (unit > 1) text.remove_suffix(1);
  const std::optional<double> number = ParseNumber(text);
  constexpr double kTokensMax = 1e12;
  if (!number || !(*number >= 0) || *number * unit > kTokensMax) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(*number * unit));
}

}  // namespace

void SetKnob(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  const std::string typed = flag.text.empty() ? value : std::string(flag.text);
  for (const std::string& path : PathsOf(flag.path, parse.line().subcommand)) {
    parse.SetKnob(path, typed, flag.name);
  }
}

void AppendToKnob(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  parse.AppendKnob(flag.path, value, flag.name);
}

void SetSecondsAsMs(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  constexpr double kSecondsMax = 1e6;
  const std::optional<double> seconds = ParseNumber(value);
  if (!seconds || !(*seconds >= 0) || *seconds > kSecondsMax) {
    return parse.Error(absl::StrFormat("%s: expected seconds, got '%s'", flag.name, value));
  }
  parse.SetYaml(flag.path, absl::StrCat(std::llround(*seconds * 1000)), flag.name);
}

void SetTokens(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  const std::optional<std::int64_t> tokens = ReadTokens(value);
  if (!tokens) {
    return parse.Error(
        absl::StrFormat("%s: expected tokens such as 4096, 32k (32,000) or 32K (32,768), got '%s'",
                        flag.name, value));
  }
  parse.SetYaml(flag.path, absl::StrCat(*tokens), flag.name);
}

void SetListenHost(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  const bool worker = RoleOf(parse.line().subcommand) == Role::kPrefill ||
                      RoleOf(parse.line().subcommand) == Role::kDecode;
  parse.SetKnob(worker ? "server.worker_host" : "router.host", value, flag.name);
}

void SetListenPort(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  const Role role = RoleOf(parse.line().subcommand);
  const bool worker = role == Role::kPrefill || role == Role::kDecode;
  const std::string section(worker ? RoleName(role) : "router");
  parse.SetKnob(section + (worker ? ".http_port" : ".port"), value, flag.name);
}

void SetAny(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos || equals == 0) {
    return parse.Error(absl::StrFormat("%s: expected path=value such as router.port=8000, got '%s'",
                                       flag.name, value));
  }
  const std::string path = value.substr(0, equals);
  parse.SetYaml(path, value.substr(equals + 1), absl::StrCat(flag.name, " ", path));
}

void SetModel(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  for (const FlagSetting& setting : parse.line().settings) {
    if (setting.path != "model.path") continue;
    return parse.Error(absl::StrFormat("%s: the model is named twice, by %s too; name it once",
                                       flag.name, setting.spelling));
  }
  parse.SetKnob("model.path", value, flag.name);
}

void Ignore(FlagParse& parse, const FlagSpec& flag, const std::string&) {
  parse.Info(absl::StrCat(flag.name, ": ignored: ", flag.text));
}

void WarnOf(FlagParse& parse, const FlagSpec& flag, const std::string&) {
  parse.Warn(absl::StrCat(flag.name, ": ignored: ", flag.text));
}

void Refuse(FlagParse& parse, const FlagSpec& flag, const std::string&) {
  parse.Error(absl::StrCat(flag.name, ": refused: ", flag.text));
}

void RefuseAboveOne(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  if (ParseInteger(value) != 1) Refuse(parse, flag, value);
}

}  // namespace baton
