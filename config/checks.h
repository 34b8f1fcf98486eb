// What must hold between keys, and between a configuration and its role: each key was read alone
// before this.
#pragma once

#include "config/load.h"
#include "config/settings.h"

namespace baton {

/// Adds an error for every rule that `settings` break, at the origin of the key at fault.
void CheckTogether(Role role, const Settings& settings, Findings& findings);

}  // namespace baton
