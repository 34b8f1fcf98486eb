// Wakes a thread that waits on a file descriptor of somebody else: an eventfd beside it in one
// poll().
#pragma once

#include "base/time.h"

namespace baton {

class Bell {
 public:
  Bell();
  ~Bell();
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  /// Ends the current or the next Wait. Thread: any.
  void Ring();

  /// Waits until the bell rings, `fd` is readable (-1 = none), or `deadline`. One thread.
  void Wait(int fd, Instant deadline);

 private:
  const int eventfd_;
};

}  // namespace baton
