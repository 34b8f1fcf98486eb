// The places where a test stands between a worker's role and the rest of its world: the wire that
// carries pages, the device, the words to its routers. In the program that ships nothing stands
// there; `baton-faults` (tests/faults) wraps each in a decorator that can stand still at a named
// point.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/ids.h"
#include "engine/executor.h"
#include "kvcache/kv_arena.h"
#include "kvtransfer/transport.h"
#include "proto/link.pb.h"

namespace baton {

/// Gives a link's message to gRPC's queue. Thread: any.
using WorkerLinkSend = std::function<void(LinkId link, link::WorkerMessage&& message)>;

/// Each takes what a role would use, and returns what it does use. Called once, before the role's
/// threads start.
struct RoleSeams {
  /// `pages` is where arriving frames land; it outlives the transport.
  std::function<std::unique_ptr<Transport>(std::unique_ptr<Transport>, const KvArena& pages)>
      transport = [](std::unique_ptr<Transport> wire, const KvArena&) { return wire; };
  std::function<std::unique_ptr<Executor>(std::unique_ptr<Executor>)> executor =
      [](std::unique_ptr<Executor> device) { return device; };
  std::function<WorkerLinkSend(WorkerLinkSend)> say = [](WorkerLinkSend send) { return send; };
};

}  // namespace baton
