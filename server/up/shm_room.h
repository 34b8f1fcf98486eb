// Whether this machine's shared memory has room for the lanes of a whole cluster, asked before it
// starts: a lane that finds none loses its peer only when a request needs it.
#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace baton {

/// Bytes of /dev/shm that the lanes of `pairs` (prefill, decode) pairs take, with what UCX keeps
/// beside them.
std::uint64_t ShmBytesFor(int pairs);

/// Errors: ResourceExhausted with both figures and the two ways out.
absl::Status CheckShmRoom(int pairs, std::uint64_t free_bytes);

/// What is free in /dev/shm; 0 where there is none.
std::uint64_t FreeShmBytes();

}  // namespace baton
