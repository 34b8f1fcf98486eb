// The whole program behind its entry: reads the command line, loads the configuration, becomes the
// subcommand. `baton` and the tests' `baton-faults` are this, with other seams.
#pragma once

#include <string>
#include <vector>

#include "server/roles/role_seams.h"

namespace baton {

/// Returns the exit code. `arguments` are without the program's name; the worker roles use `seams`.
int RunProgram(const std::vector<std::string>& arguments, const RoleSeams& seams);

}  // namespace baton
