// `baton check-config`: reads the files and the environment for server/cli/check_config and prints
// what it says.
#pragma once

#include "server/cli/flags.h"

namespace baton {

/// Returns the exit code: 0 good, 1 the configuration is wrong, 2 a file cannot be read.
int RunCheckConfig(const CommandLine& command_line);

}  // namespace baton
