#include "server/roles/signals.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/log.h"

namespace baton {
namespace {

constexpr Duration kStartPoll = Milliseconds(20);  // how soon a signal is heard while loading

/// Calls that a signal handler may make, and no others.
[[noreturn]] void LeaveNow(const char* line) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line, std::strlen(line));
  _exit(1);
}

void OnTimeUp(int) {
  LeaveNow("error: this process did not come down in time after its end; left as it stood\n");
}

void OnFurtherSignal(int) { LeaveNow("error: a further signal; left as it stood\n"); }

void Handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigaction(number, &action, nullptr);
}

/// True when one of `signals` came before `wait` was over.
bool WaitFor(const sigset_t& signals, Duration wait) {
  const timespec time{wait.count() / 1'000'000'000, wait.count() % 1'000'000'000};
  return sigtimedwait(&signals, nullptr, &time) > 0;
}

void EndIfSignalled(const std::stop_token& stop) {
  const sigset_t ending = EndingSignals();
  while (!stop.stop_requested()) {
    if (!WaitFor(ending, kStartPoll)) continue;
    BATON_INFO("leaving: ended while starting");
    _exit(0);
  }
}

}  // namespace

sigset_t EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  struct sigaction hangup {};
  sigaction(SIGHUP, nullptr, &hangup);
  if (hangup.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  return signals;
}

Signals::Signals() : ending_(EndingSignals()) {
  pthread_sigmask(SIG_BLOCK, &ending_, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool Signals::WaitUntil(Instant deadline) {
  return WaitFor(ending_, std::clamp<Duration>(deadline - std::chrono::steady_clock::now(),
                                               Duration::zero(), std::chrono::hours(1)));
}

StartWatch::StartWatch() : thread_([](const std::stop_token& stop) { EndIfSignalled(stop); }) {}

void EndWithin(Duration patience) {
  const sigset_t ending = EndingSignals();
  Handle(SIGALRM, &OnTimeUp);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (sigismember(&ending, number) == 1) Handle(number, &OnFurtherSignal);
  }
  alarm(static_cast<unsigned>(std::chrono::duration_cast<std::chrono::seconds>(patience).count()));
  pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
}

}  // namespace baton
