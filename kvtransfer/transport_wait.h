// Waiting for a transport without spinning: arm, then sleep on its descriptor with a deadline.
#pragma once

#include "base/time.h"
#include "kvtransfer/transport.h"

namespace baton {

/// Sleeps until the transport may have work, at most `longest`. Returns at once when it has work
/// already, or no descriptor to sleep on. Costs no CPU while nothing arrives.
/// Thread: the transport's.
void WaitForWork(Transport& transport, Duration longest);

}  // namespace baton
