// SIGTERM and SIGINT as something that the main thread waits for: the first starts a drain, the
// second aborts. SIGPIPE is ignored. Constructed before the first thread, so that every thread
// inherits the mask.
#pragma once

#include "base/time.h"

namespace baton {

class Signals {
 public:
  Signals();

  /// Waits for the next signal until `deadline`. True when one came.
  /// Thread: main.
  bool WaitUntil(Instant deadline);
};

}  // namespace baton
