// The router as a process: HTTP and gRPC doors, the route thread, the link service, and its drain.
#pragma once

#include "config/load.h"

namespace baton {

/// Serves until SIGTERM or SIGINT, then drains. Returns the exit code: 0 after an orderly drain, 1
/// when a port is taken (one line says which), when the drain's time was up, or at a second signal.
int RunRouter(const LoadedConfig& loaded);

}  // namespace baton
