// A message that the router's core wants sent.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "proto/link.pb.h"

namespace baton {

/// For the worker at the other end of `link`. After a `refused` the link is to be closed.
struct RouterOutput {
  LinkId link{};
  link::RouterMessage message;
};

/// A line for the log.
struct RouterNote {
  std::string text;
  bool degraded = false;  // a warning: somebody is missing or was turned away
};

using RouterOutbox = std::vector<RouterOutput>;

}  // namespace baton
