#include "server/cli/flags.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "config/suggest.h"
#include "config/text_rules.h"
#include "server/cli/flag_handlers.h"
#include "server/cli/flag_parse.h"
#include "server/cli/flag_table.h"

namespace baton {
namespace {

constexpr Subcommand kSubcommands[] = {
    Subcommand::kUp,          Subcommand::kRouter,   Subcommand::kPrefill, Subcommand::kDecode,
    Subcommand::kCheckConfig, Subcommand::kSelftest, Subcommand::kBench,   Subcommand::kGenerate};

/// "--a_b" as "--a-b"; values are never touched.
std::string Dashed(absl::string_view name) { return absl::StrReplaceAll(name, {{"_", "-"}}); }

bool IsFlag(const std::string& argument) {
  return argument.size() > 1 && argument[0] == '-' &&
         !absl::ascii_isdigit(static_cast<unsigned char>(argument[1]));
}

/// Goes through the arguments once.
class Reader {
 public:
  Reader(absl::Span<const std::string> arguments, FlagParse& parse)
      : arguments_(arguments), parse_(parse) {}

  void Read() {
    while (next_ < arguments_.size()) {
      const std::string& argument = arguments_[next_++];
      if (IsFlag(argument)) {
        ReadFlag(argument);
      } else {
        ReadPositional(argument);
      }
    }
  }

 private:
  void ReadFlag(const std::string& argument) {
    const std::size_t equals = argument.find('=');
    const std::string name = Dashed(argument.substr(0, equals));
    const FlagSpec* const flag = FindFlag(name, parse_.line().subcommand);
    if (flag == nullptr) return Unknown(name);
    if ((flag->where & In(parse_.line().subcommand)) == 0) {
      return parse_.Error(absl::StrFormat("%s: baton %s does not take it", name,
                                          SubcommandName(parse_.line().subcommand)));
    }
    if (equals != std::string::npos) return ReadAttached(*flag, argument.substr(equals + 1));
    if (flag->takes == Takes::kNothing) return flag->handle(parse_, *flag, "");
    if (!NextIsValue(*flag)) {
      return parse_.Error(absl::StrFormat("%s: expected a value (%s)", flag->name, flag->metavar));
    }
    flag->handle(parse_, *flag, arguments_[next_++]);
    ReadFurther(*flag);
  }

  void ReadAttached(const FlagSpec& flag, const std::string& value) {
    if (flag.takes == Takes::kNothing) {
      return parse_.Error(absl::StrFormat("%s: expected no value, got '%s'", flag.name, value));
    }
    if (value.empty()) {
      return parse_.Error(absl::StrFormat("%s: expected a value (%s)", flag.name, flag.metavar));
    }
    flag.handle(parse_, flag, value);
  }

  bool NextIsValue(const FlagSpec& flag) const {
    if (next_ >= arguments_.size() || arguments_[next_].empty()) return false;
    // A prompt may begin with a dash; what is a flag's name is one.
    return !IsFlag(arguments_[next_]) ||
           (flag.name == "--prompt" &&
            FindFlag(Dashed(arguments_[next_]), parse_.line().subcommand) == nullptr);
  }

  void ReadFurther(const FlagSpec& flag) {
    if (flag.takes == Takes::kOneAndPort && next_ < arguments_.size()) {
      const std::string& port = arguments_[next_];
      if (port == "none" || IsPort(port)) ++next_;
    }
    while (flag.takes == Takes::kSome && next_ < arguments_.size() && !IsFlag(arguments_[next_])) {
      flag.handle(parse_, flag, arguments_[next_++]);
    }
  }

  void ReadPositional(const std::string& argument) {
    CommandLine& line = parse_.line();
    if (line.subcommand == Subcommand::kCheckConfig && line.config_file.empty()) {
      line.config_file = argument;
      return;
    }
    const FlagSpec& model = *FindFlag("--model", line.subcommand);
    if ((model.where & In(line.subcommand)) != 0 && !has_model_) {
      has_model_ = true;
      return model.handle(parse_, model, argument);
    }
    parse_.Error(absl::StrFormat("unexpected argument '%s'", argument));
  }

  void Unknown(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& flags : {OptionFlags(), KnobFlags(), GatewayFlags()}) {
      for (const FlagSpec& flag : flags) {
        if ((flag.where & In(parse_.line().subcommand)) != 0) names.emplace_back(flag.name);
      }
    }
    const std::string nearest = Nearest(name, names);
    parse_.Error(
        absl::StrCat(name, ": unknown flag", nearest.empty() ? "" : "; did you mean " + nearest));
    // What follows is most likely its value: one error is enough.
    if (next_ < arguments_.size() && !IsFlag(arguments_[next_])) ++next_;
  }

  absl::Span<const std::string> arguments_;
  FlagParse& parse_;
  std::size_t next_ = 0;
  bool has_model_ = false;
};

void CheckWhole(FlagParse& parse) {
  CommandLine& line = parse.line();
  if (line.help) return;
  if (line.subcommand == Subcommand::kCheckConfig) {
    if (line.config_file.empty() && !line.check_config.reference) {
      parse.Error("expected a file: baton check-config FILE");
    }
  }
  if (!line.selftest.peer.empty() && line.selftest.listen_port >= 0) {
    parse.Error("expected one of --peer and --listen");
  }
  if (line.subcommand != Subcommand::kGenerate) return;
  const int prompts = (line.generate.prompt ? 1 : 0) + (line.generate.prompt_ids ? 1 : 0) +
                      (line.generate.prompt_ids_file.empty() ? 0 : 1);
  if (prompts != 1) parse.Error("expected one of --prompt and --prompt-ids");
}

absl::StatusOr<Subcommand> ReadSubcommand(const std::string& word) {
  if (word == "help" || word == "--help" || word == "-h") return Subcommand::kHelp;
  if (word == "version" || word == "--version") return Subcommand::kVersion;
  std::vector<std::string> names;
  for (const Subcommand subcommand : kSubcommands) {
    names.emplace_back(SubcommandName(subcommand));
    if (Dashed(word) == names.back()) return subcommand;
  }
  const std::string nearest = Nearest(word, names);
  return absl::InvalidArgumentError(
      absl::StrFormat("expected one of %s, got '%s'%s", absl::StrJoin(names, ", "), word,
                      nearest.empty() ? "" : "; did you mean " + nearest));
}

}  // namespace

absl::string_view SubcommandName(Subcommand subcommand) {
  switch (subcommand) {
    case Subcommand::kHelp:
      return "help";
    case Subcommand::kVersion:
      return "version";
    case Subcommand::kUp:
      return "up";
    case Subcommand::kRouter:
      return "router";
    case Subcommand::kPrefill:
      return "prefill";
    case Subcommand::kDecode:
      return "decode";
    case Subcommand::kCheckConfig:
      return "check-config";
    case Subcommand::kSelftest:
      return "selftest";
    case Subcommand::kBench:
      return "bench";
    case Subcommand::kGenerate:
      return "generate";
  }
  return "help";
}

Role RoleOf(Subcommand subcommand) {
  switch (subcommand) {
    case Subcommand::kRouter:
      return Role::kRouter;
    case Subcommand::kPrefill:
      return Role::kPrefill;
    case Subcommand::kDecode:
      return Role::kDecode;
    default:
      return Role::kAny;
  }
}

const FlagSpec* FindFlag(absl::string_view name, Subcommand subcommand) {
  const FlagSpec* elsewhere = nullptr;
  for (const auto& flags : {KnobFlags(), GatewayFlags(), OptionFlags()}) {
    for (const FlagSpec& flag : flags) {
      if (flag.name != name && (flag.other.empty() || flag.other != name)) continue;
      if ((flag.where & In(subcommand)) != 0) return &flag;
      elsewhere = &flag;
    }
  }
  return elsewhere;
}

absl::StatusOr<CommandLine> ParseCommandLine(absl::Span<const std::string> args) {
  if (args.empty()) return CommandLine();
  absl::StatusOr<Subcommand> subcommand = ReadSubcommand(args[0]);
  if (!subcommand.ok()) return subcommand.status();
  FlagParse parse(*subcommand);
  const absl::Span<const std::string> rest = args.subspan(1);
  if (*subcommand == Subcommand::kHelp) {
    if (!rest.empty()) {  // `baton help decode`
      subcommand = ReadSubcommand(rest[0]);
      if (!subcommand.ok()) return subcommand.status();
      parse.line().subcommand = *subcommand;
    }
    parse.line().help = true;
  } else if (*subcommand == Subcommand::kBench) {  // its help is its own
    parse.line().bench_args.assign(rest.begin(), rest.end());
  } else if (*subcommand != Subcommand::kVersion) {
    Reader(rest, parse).Read();
    CheckWhole(parse);
  }
  if (!parse.errors().empty() && !parse.line().help) {
    return absl::InvalidArgumentError(absl::StrJoin(parse.errors(), "\n"));
  }
  return std::move(parse.line());
}

}  // namespace baton
