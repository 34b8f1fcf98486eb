// `baton selftest`: moves known pages over each wire that the configuration allows, checks every
// byte, prints what carried them and how fast. Alone both ends are threads of this process; with
// `--listen PORT` in one process and `--peer HOST:PORT` in another they are two processes.
#pragma once

#include "config/load.h"
#include "server/cli/flags.h"

namespace baton {

/// One line a wire. Returns the exit code: 1 when a byte was wrong, a wire failed, another wire was
/// found than was asked for, or the other process is not there.
int RunSelftest(const LoadedConfig& loaded, const SelftestFlags& flags);

}  // namespace baton
