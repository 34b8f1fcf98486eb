// What the two ends of the router-worker link tell the thread that owns the role.
//
// A sink takes an event and returns true; or returns false, having left the event as it was, when
// its queue is full. The link then stops reading and offers the event again, so that a slow role
// slows its peers and nothing is lost.
#pragma once

#include <functional>
#include <string>

#include "base/ids.h"
#include "proto/link.pb.h"

namespace baton {

enum class LinkEventKind { kUp, kMessage, kLost };

/// At the router. kUp carries the worker's Register in `message`; nothing follows a kLost.
struct RouterLinkEvent {
  LinkId link{};
  LinkEventKind kind = LinkEventKind::kMessage;
  link::WorkerMessage message;  // kUp, kMessage
  std::string reason;           // kLost: why it broke; "" = the worker ended it in order
};

/// At a worker. After kUp the worker's first message must be Register.
struct WorkerLinkEvent {
  LinkId link{};
  LinkEventKind kind = LinkEventKind::kMessage;
  link::RouterMessage message;  // kMessage
  std::string address;          // kUp: the router's
  std::string reason;           // kLost: why it broke; "" = the router ended it in order
};

using RouterLinkSink = std::function<bool(RouterLinkEvent&&)>;
using WorkerLinkSink = std::function<bool(WorkerLinkEvent&&)>;

}  // namespace baton
