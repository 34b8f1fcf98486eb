#include "server/commands/check_config_command.h"

#include <cstdio>
#include <string>

#include "base/status.h"
#include "server/cli/check_config.h"
#include "server/start_check.h"
#include "server/startup.h"

namespace baton {
namespace {

absl::StatusOr<LoadInputs> InputsOf(const CommandLine& command_line, const std::string& file) {
  LoadInputs inputs{.role = command_line.check_config.role,
                    .file_name = file,
                    .file_text = "",
                    .environment = Environment(),
                    .flags = command_line.settings,
                    .lenient = command_line.lenient};
  if (!file.empty()) {
    BATON_ASSIGN_OR_RETURN(inputs.file_text, ReadTextFile(file));
  }
  return inputs;
}

/// What a start would refuse; what loading refuses is CheckConfig's to tell.
absl::Status CheckFit(const CheckConfigOptions& options, const LoadInputs& inputs) {
  if (options.reference) return absl::OkStatus();
  const absl::StatusOr<LoadedConfig> loaded = LoadConfig(inputs);
  return loaded.ok() ? CheckStart(options.role, loaded->config) : absl::OkStatus();
}

}  // namespace

int RunCheckConfig(const CommandLine& command_line) {
  const auto inputs = InputsOf(command_line, command_line.config_file);
  const auto other = InputsOf(command_line, command_line.check_config.diff_file);
  for (const auto* result : {&inputs, &other}) {
    if (result->ok()) continue;
    std::fprintf(stderr, "error: %s\n", std::string(result->status().message()).c_str());
    return kExitUsage;
  }
  if (const absl::Status fit = CheckFit(command_line.check_config, *inputs); !fit.ok()) {
    std::fprintf(stderr, "%s\n", std::string(fit.message()).c_str());
    return kExitUsage;
  }
  const CheckConfigResult result = CheckConfig(command_line.check_config, *inputs, *other);
  std::fputs(result.out.c_str(), stdout);
  std::fputs(result.err.c_str(), stderr);
  return result.exit_code;
}

}  // namespace baton
