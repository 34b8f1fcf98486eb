#include "server/program.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "server/cli/flags.h"
#include "server/cli/help.h"
#include "server/commands/check_config_command.h"
#include "server/commands/generate_command.h"
#include "server/commands/selftest_command.h"
#include "server/process_limits.h"
#include "server/roles/router_role.h"
#include "server/roles/worker_role.h"
#include "server/start_check.h"
#include "server/startup.h"
#include "server/up/up_command.h"
#include "server/version.h"

namespace baton {
namespace {

void PrintErrors(const absl::Status& status) {
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
}

/// Becomes `baton-bench`, which lies beside this program and is no part of an image.
int ExecBench(const std::vector<std::string>& arguments) {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string bench = (self.parent_path() / "baton-bench").string();
  std::vector<std::string> words = {bench};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(bench.c_str(), argv.data());
  if (!arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h")) {
    std::printf("%s", HelpPage(Subcommand::kBench).c_str());
  }
  std::fprintf(stderr,
               "error: cannot start %s: %s; it is built apart: cmake --build build/release "
               "--target baton-bench\n",
               bench.c_str(), std::strerror(errno));
  return kExitInvalid;
}

/// `up` and `generate` have a model to try; a role must be told which one its peers have.
absl::StatusOr<LoadedConfig> LoadWithModel(Role role, CommandLine& command_line) {
  absl::StatusOr<LoadedConfig> loaded = LoadFor(role, command_line);
  if (!loaded.ok() || !loaded->config.model.path.empty()) return loaded;
  const Subcommand subcommand = command_line.subcommand;
  if (subcommand == Subcommand::kUp || subcommand == Subcommand::kGenerate) {
    command_line.settings.push_back({"model.path", "\"builtin:recall\"", "the default model"});
    return LoadFor(role, command_line);
  }
  const bool tokenizer_alone =
      subcommand == Subcommand::kRouter && !loaded->config.model.tokenizer.empty();
  if (subcommand == Subcommand::kSelftest || tokenizer_alone) return loaded;
  return absl::InvalidArgumentError(absl::StrFormat(
      "give MODEL: a Hugging Face directory, or builtin:recall, as in `baton %s builtin:recall`; "
      "the router and its workers need the same one",
      SubcommandName(subcommand)));
}

int RunLoaded(CommandLine command_line, const RoleSeams& seams) {
  const Role role = RoleOf(command_line.subcommand);
  const absl::StatusOr<LoadedConfig> loaded = LoadWithModel(role, command_line);
  if (!loaded.ok()) {
    PrintErrors(loaded.status());
    return kExitUsage;
  }
  if (const absl::Status fit = CheckStart(role, loaded->config); !fit.ok()) {
    PrintErrors(fit);
    return kExitUsage;
  }
  if (const absl::Status enough = RaiseOpenFiles(); !enough.ok()) {
    PrintErrors(enough);
    return kExitInvalid;
  }
  StartLogFor(*loaded, command_line);
  switch (command_line.subcommand) {
    case Subcommand::kUp:
      return RunUp(*loaded, command_line);
    case Subcommand::kRouter:
      return RunRouter(*loaded);
    case Subcommand::kPrefill:
      return RunPrefill(*loaded, seams);
    case Subcommand::kDecode:
      return RunDecode(*loaded, seams);
    case Subcommand::kGenerate:
      return RunGenerate(*loaded, command_line);
    default:
      return RunSelftest(*loaded, command_line.selftest);
  }
}

}  // namespace

int RunProgram(const std::vector<std::string>& arguments, const RoleSeams& seams) {
  const absl::StatusOr<CommandLine> command_line = ParseCommandLine(arguments);
  if (!command_line.ok()) {
    PrintErrors(command_line.status());
    return kExitUsage;
  }
  if (command_line->help || command_line->subcommand == Subcommand::kHelp) {
    std::printf("%s", HelpPage(command_line->subcommand).c_str());
    return kExitOk;
  }
  switch (command_line->subcommand) {
    case Subcommand::kVersion:
      std::printf("baton %s\n", kVersion);
      return kExitOk;
    case Subcommand::kBench:
      return ExecBench(command_line->bench_args);
    case Subcommand::kCheckConfig:
      return RunCheckConfig(*command_line);
    default:
      return RunLoaded(*command_line, seams);
  }
}

}  // namespace baton
