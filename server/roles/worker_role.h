// The two worker roles as processes: model, pages, transport; engine, transfer, compute and HTTP
// threads; the links to the routers; and their drain.
#pragma once

#include "config/load.h"
#include "server/roles/role_seams.h"

namespace baton {

/// Serve until SIGTERM or SIGINT, then drain. Return the exit code: 0 after an orderly drain, 1
/// when the role cannot start (one line says why), when the drain's time was up, when the device is
/// lost, or at a second signal.
int RunPrefill(const LoadedConfig& loaded, const RoleSeams& seams);
int RunDecode(const LoadedConfig& loaded, const RoleSeams& seams);

}  // namespace baton
