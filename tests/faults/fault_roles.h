// Failpoints at the seams of the worker roles. Beside those of the wire (fault_transport.h):
//   launched, collected   a step has been given to the device, and taken from it
//   said.tokens           tokens have left for a router
#pragma once

#include "server/roles/role_seams.h"
#include "tests/faults/failpoints.h"

namespace baton {

/// `points` outlives the roles that use these seams. `puts`: see fault_transport.h.
RoleSeams FaultSeams(Failpoints& points, bool puts);

}  // namespace baton
