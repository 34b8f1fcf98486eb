// The handlers of server/cli/flag_handlers.h for options that are no knobs.
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/sampling.h"
#include "config/scalar.h"
#include "server/cli/flag_handlers.h"

namespace baton {
namespace {

constexpr std::int64_t kWorkersMax = 64;      // of one machine
constexpr std::int64_t kTokensMax = 1 << 24;  // of one answer
constexpr std::int64_t kTokenIdMax = 1 << 30;
constexpr std::int64_t kPortMax = 65535;

struct Range {
  std::int64_t min;
  std::int64_t max;
};

/// An integer option; tells of a bad one and gives nothing.
std::optional<std::int64_t> ReadOption(FlagParse& parse, const FlagSpec& flag,
                                       const std::string& value, Range range) {
  const std::optional<std::int64_t> number = ParseInteger(value);
  if (number && *number >= range.min && *number <= range.max) return number;
  parse.Error(absl::StrFormat("%s: expected an integer from %d to %d, got '%s'", flag.name,
                              range.min, range.max, value));
  return std::nullopt;
}

void ReadInto(FlagParse& parse, const FlagSpec& flag, const std::string& value, Range range,
              int* out) {
  const auto number = ReadOption(parse, flag, value, range);
  if (number) *out = static_cast<int>(*number);
}

void ReadPromptIds(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  GenerateOptions& options = parse.line().generate;
  if (value[0] == '@') {
    options.prompt_ids_file = value.substr(1);
    return;
  }
  std::vector<std::int32_t> ids;
  for (absl::string_view part : absl::StrSplit(value, absl::ByAnyChar(", "), absl::SkipEmpty())) {
    const auto id = ReadOption(parse, flag, std::string(part), {0, kTokenIdMax});
    if (!id) return;
    ids.push_back(static_cast<std::int32_t>(*id));
  }
  options.prompt_ids = std::move(ids);
}

Role ReadRole(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  for (const Role role : {Role::kAny, Role::kRouter, Role::kPrefill, Role::kDecode}) {
    if (RoleName(role) == value) return role;
  }
  parse.Error(
      absl::StrFormat("%s: expected router, prefill or decode, got '%s'", flag.name, value));
  return Role::kAny;
}

}  // namespace

void SetConfigFile(FlagParse& parse, const FlagSpec&, const std::string& value) {
  parse.line().config_file = value;
}
void SetLenient(FlagParse& parse, const FlagSpec&, const std::string&) {
  parse.line().lenient = true;
}
void SetHelp(FlagParse& parse, const FlagSpec&, const std::string&) { parse.line().help = true; }

void SetUp(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  UpOptions& options = parse.line().up;
  if (flag.name == "--prefill-workers") {
    ReadInto(parse, flag, value, {0, kWorkersMax}, &options.prefill_workers);
  } else if (flag.name == "--decode-workers") {
    ReadInto(parse, flag, value, {1, kWorkersMax}, &options.decode_workers);
  } else if (flag.name == "--no-restart") {
    options.restart = false;
  } else if (flag.name == "--prefill-device") {
    options.prefill_device = value;
  } else {
    options.decode_device = value;
  }
}

void SetGenerate(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  GenerateOptions& options = parse.line().generate;
  if (flag.name == "--prompt") {
    options.prompt = value;
  } else if (flag.name == "--prompt-ids") {
    ReadPromptIds(parse, flag, value);
  } else if (flag.name == "--max-tokens") {
    ReadInto(parse, flag, value, {1, kTokensMax}, &options.tokens_max);
  } else if (flag.name == "--seed") {
    const auto seed = ReadOption(parse, flag, value, {0, std::numeric_limits<std::int64_t>::max()});
    if (seed) options.seed = static_cast<std::uint64_t>(*seed);
  } else if (flag.name == "--logprobs") {
    ReadInto(parse, flag, value, {0, kLogprobsMax}, &options.logprobs);
  } else if (flag.name == "--prompt-logprobs") {
    ReadInto(parse, flag, value, {0, kLogprobsMax}, &options.prompt_logprobs);
  } else if (flag.name == "--ignore-eos") {
    options.ignore_end_tokens = true;
  } else if (flag.name == "--json") {
    options.json = true;
  } else {
    constexpr double kTemperatureMax = 2;  // as the HTTP API
    const std::optional<double> number = ParseNumber(value);
    if (!number || *number < 0 || *number > kTemperatureMax) {
      return parse.Error(
          absl::StrFormat("%s: expected a number from 0 to 2, got '%s'", flag.name, value));
    }
    options.temperature = *number;
  }
}

void SetSelftest(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  SelftestFlags& flags = parse.line().selftest;
  if (flag.name == "--peer") {
    flags.peer = value;
  } else {
    ReadInto(parse, flag, value, {0, kPortMax}, &flags.listen_port);
  }
}

void SetCheckConfig(FlagParse& parse, const FlagSpec& flag, const std::string& value) {
  CheckConfigOptions& options = parse.line().check_config;
  if (flag.name == "--role") {
    options.role = ReadRole(parse, flag, value);
  } else if (flag.name == "--diff") {
    options.diff_file = value;
  } else if (flag.name == "--reference") {
    options.reference = true;
  } else if (value == "yaml" || value == "json") {
    options.format =
        value == "json" ? CheckConfigOptions::Format::kJson : CheckConfigOptions::Format::kYaml;
  } else {
    parse.Error(absl::StrFormat("%s: expected yaml or json, got '%s'", flag.name, value));
  }
}

}  // namespace baton
