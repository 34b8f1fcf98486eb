// A message that the router's core wants sent.
#pragma once

#include <vector>

#include "base/ids.h"
#include "proto/link.pb.h"

namespace baton {

/// For the worker at the other end of `link`. After a `refused` the link is to be closed.
struct RouterOutput {
  LinkId link{};
  link::RouterMessage message;
};

using RouterOutbox = std::vector<RouterOutput>;

}  // namespace baton
