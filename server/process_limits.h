// What the system allows a process before it starts: the number of open files, which every
// connection, every peer of the transport and every child takes from.
#pragma once

#include "absl/status/status.h"

namespace baton {

/// Raises the soft limit of open files to the hard one, or to as many as are of use.
/// Errors: ResourceExhausted when that is less than a role needs, with what to do.
absl::Status RaiseOpenFiles();

}  // namespace baton
