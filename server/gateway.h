// The seam between the front doors (HTTP, public gRPC) and the router: submit a request, hear what
// becomes of it, cancel it. The router role's shell (server/router_role) implements it over the
// route thread; tests implement it with scripted answers.
//
// Thread: any.
#pragma once

#include <memory>
#include <optional>

#include "router/request.h"

namespace baton {

enum class CancelReason {
  kClientGone,  // nobody wants the answer
  kAnswered,    // it is whole: a stop string ended it
};

class Gateway {
 public:
  virtual ~Gateway() = default;

  /// Hands the request to the route thread. `observer` hears exactly one end, always: a full queue
  /// or a draining router too is told through it.
  virtual void Submit(Request request, std::unique_ptr<ResponseObserver> observer) = 0;

  /// Ends the request early. The observer still hears one end (Cancelled), unless it came before.
  virtual void Cancel(RequestId id, CancelReason reason) = 0;

  /// The served model; nothing until a pair of workers has registered.
  virtual std::optional<ServedModel> model() const = 0;

  /// True once a worker has registered, whether or not it is still there.
  virtual bool had_worker() const = 0;

  /// True when a prefill and a decode worker (or a decode worker alone, in an aggregated cluster)
  /// of equal fingerprint are registered, and the router does not drain.
  virtual bool ready() const = 0;
};

}  // namespace baton
