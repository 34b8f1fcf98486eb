// `baton up`: a whole cluster on this machine, each role a child process over real sockets and UCX.
// Prints a table and, when all of them are ready, one
// `ready http://...` line; restarts a worker that died (with back-off, and
// says so), and takes everything down with it in order: the router drains first, then the workers.
#pragma once

#include "config/load.h"
#include "server/cli/flags.h"

namespace baton {

/// Runs until a signal or until the cluster cannot go on. Returns the exit code: 0 after an orderly
/// end, 1 when a role could not start or a second signal came.
int RunUp(const LoadedConfig& loaded, const CommandLine& command_line);

}  // namespace baton
