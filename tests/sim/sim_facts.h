// What a simulated worker says of itself when it registers.
#pragma once

#include "kvcache/kv_arena.h"
#include "proto/link.pb.h"
#include "tests/sim/sim_worker.h"

namespace baton {

/// What the two ends of a hand-off compare.
FingerprintFields SimFields(const KvLayout& layout);

link::Register SimFacts(const SimWorkerOptions& options, const KvArena& arena);

}  // namespace baton
