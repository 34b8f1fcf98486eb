// The command line as a plain struct: which subcommand, which knobs it sets, and the few options
// that are no knobs. Speaks three spellings: ours, vLLM's and SGLang's gateway's, so that the
// command lines of their prefill/decode guides run here. Pure: `args` in, values out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "config/load.h"

namespace baton {

enum class Subcommand {
  kHelp,  // `baton`, `baton --help`, `baton help`
  kVersion,
  kUp,
  kRouter,
  kPrefill,
  kDecode,
  kCheckConfig,
  kSelftest,
  kBench,
  kGenerate,
};

/// "up", "router", ...: as it is typed.
absl::string_view SubcommandName(Subcommand subcommand);

/// The role whose configuration a subcommand reads.
Role RoleOf(Subcommand subcommand);

/// `baton up`: a whole cluster on this machine.
struct UpOptions {
  int prefill_workers = 1;     // 0 = an aggregated cluster
  int decode_workers = 1;      // at least 1
  bool restart = true;         // false with --no-restart
  std::string prefill_device;  // for the prefill workers alone; empty = model.device
  std::string decode_device;
};

/// `baton generate`: one prompt in one process.
struct GenerateOptions {
  std::optional<std::string> prompt;  // exactly one of these two is set
  std::optional<std::vector<std::int32_t>> prompt_ids;
  std::string prompt_ids_file;  // "--prompt-ids @FILE": the shell reads it, ids by commas or blanks
  int tokens_max = 128;
  double temperature = 0;
  std::uint64_t seed = 0;
  int logprobs = -1;               // -1 = none; K = the K likeliest beside the chosen one
  int prompt_logprobs = -1;        // the same for the tokens of the prompt
  bool ignore_end_tokens = false;  // --ignore-eos
  bool json = false;
};

/// `baton selftest`: neither set, both ends are in this process.
struct SelftestFlags {
  std::string peer;      // --peer HOST:PORT, where another process listens
  int listen_port = -1;  // --listen PORT; 0 = any free one
};

/// `baton check-config F`.
struct CheckConfigOptions {
  enum class Format { kYaml, kJson };
  Role role = Role::kAny;
  Format format = Format::kYaml;
  std::string diff_file;   // another file: print only what differs
  bool reference = false;  // print config/reference.md instead
};

/// What a command line means.
struct CommandLine {
  Subcommand subcommand = Subcommand::kHelp;
  bool help = false;                  // print HelpPage(subcommand), exit 0
  std::string config_file;            // --config; for check-config its argument
  bool lenient = false;               // --config-lenient
  std::vector<FlagSetting> settings;  // knobs, the model included, in LoadInputs' form
  std::vector<Notice> notices;        // flags that are ignored, or deserve a warning
  UpOptions up;
  GenerateOptions generate;
  CheckConfigOptions check_config;
  SelftestFlags selftest;
  std::vector<std::string> bench_args;  // all that follows `bench`, for baton-bench
};

/// Exit codes.
inline constexpr int kExitOk = 0;
inline constexpr int kExitInvalid = 1;  // what was asked for cannot be done here
inline constexpr int kExitUsage = 2;    // the command line or the configuration is wrong

/// Reads `args`, the program's name excluded.
/// Errors: InvalidArgument, every error of the line, one a line, unknown flags with the nearest
/// name.
absl::StatusOr<CommandLine> ParseCommandLine(absl::Span<const std::string> args);

}  // namespace baton
