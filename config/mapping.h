// Keys that become other keys: what LMCache and the first example call by names of their own lands
// in Baton's sections, so that the rest of the program reads one name for one thing.
#pragma once

#include "config/load.h"
#include "config/settings.h"

namespace baton {

/// Whose file it is: the command line's role, or where that names none, `pd_role`'s.
Role RoleOfFile(Role role, const Settings& settings);

/// Maps every key of verdict kMap that is set.
void MapKeys(Role role, Settings& settings, Findings& findings);

}  // namespace baton
