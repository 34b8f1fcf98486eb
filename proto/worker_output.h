// A worker's message for one of its routers, on its way to the link.
#pragma once

#include "base/ids.h"
#include "proto/link.pb.h"

namespace baton {

struct WorkerOutput {
  LinkId link{};
  link::WorkerMessage message;
};

}  // namespace baton
