// How the end of a hand-off reads to a router.
#pragma once

#include "kvtransfer/handoff_types.h"
#include "proto/link.pb.h"

namespace baton {

link::FailReason FailReasonOf(HandoffReason reason);

}  // namespace baton
