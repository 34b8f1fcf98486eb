// From a command line to a configuration that a role can start on: reads the file and the
// environment, loads, starts the log, says what the operator must hear. Everything that is wrong is
// said at once, on stderr.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "config/load.h"
#include "server/cli/flags.h"

namespace baton {

/// The process environment, by name.
std::map<std::string, std::string> Environment();

/// The whole of a small text file. Errors: NotFound, InvalidArgument (over `bytes_max`).
absl::StatusOr<std::string> ReadTextFile(const std::string& path, std::size_t bytes_max = 1 << 20);

/// Loads the configuration for `role`. Errors: as LoadConfig, and NotFound for the file.
absl::StatusOr<LoadedConfig> LoadFor(Role role, const CommandLine& command_line);

/// Starts the log as the configuration says, and writes its notices and the command line's.
void StartLogFor(const LoadedConfig& loaded, const CommandLine& command_line);

}  // namespace baton
