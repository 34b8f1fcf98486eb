// A worker's prefix cache as its routers hear of it.
#pragma once

#include "kvcache/prefix_index.h"
#include "proto/worker_outbox.h"

namespace baton {

/// Queues what changed since the last call, then a snapshot for every link that wants one.
void PublishCacheEvents(PrefixIndex& index, WorkerOutbox& outbox);

}  // namespace baton
