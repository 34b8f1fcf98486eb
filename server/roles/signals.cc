#include "server/roles/signals.h"

#include <signal.h>

#include <algorithm>

namespace baton {
namespace {

sigset_t EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

Signals::Signals() {
  const sigset_t signals = EndingSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool Signals::WaitUntil(Instant deadline) {
  const sigset_t signals = EndingSignals();
  const Duration left = std::clamp<Duration>(deadline - std::chrono::steady_clock::now(),
                                             Duration::zero(), std::chrono::hours(1));
  const timespec wait{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
  return sigtimedwait(&signals, nullptr, &wait) > 0;
}

}  // namespace baton
