// SIGTERM, SIGINT and SIGHUP as something that the main thread waits for: the first starts a drain,
// the second aborts. SIGHUP is left alone where the process was started to ignore it (nohup).
// SIGPIPE is ignored: a reader that leaves is an error of a write. Constructed before the first
// thread, so that every thread inherits the mask.
#pragma once

#include <signal.h>

#include <thread>

#include "base/time.h"

namespace baton {

/// The signals that end a process in order. Thread: any, while the mask is as at the start.
sigset_t EndingSignals();

class Signals {
 public:
  Signals();

  /// Waits for the next signal until `deadline`. True when one came.
  /// Thread: main.
  bool WaitUntil(Instant deadline);

 private:
  const sigset_t ending_;
};

/// While it lives, a signal of `Signals` ends the process at once, with exit code 0: a role that
/// still loads has accepted nothing that it could finish. Constructed after `Signals`.
class StartWatch {
 public:
  StartWatch();

 private:
  std::jthread thread_;
};

/// How long a role may take to come down after its drain: joining threads, closing connections.
inline constexpr Duration kEndPatience = std::chrono::seconds(10);

/// The last bound of an end in order: exits with code 1 and a line on stderr when the process is
/// still there after `patience` (1 s or more), or at once at the next signal of `Signals`. Nothing
/// undoes it. Thread: main.
void EndWithin(Duration patience);

}  // namespace baton
