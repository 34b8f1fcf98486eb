// `baton selftest`: moves known pages over each wire that the configuration allows, checks every
// byte, prints what carried them and how fast.
#pragma once

#include "config/load.h"

namespace baton {

/// One line a wire. Returns the exit code: 1 when a byte was wrong, a wire failed, or another wire
/// than transfer.require_transport was found.
int RunSelftest(const LoadedConfig& loaded);

}  // namespace baton
