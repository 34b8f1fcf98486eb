// How a process hears that it shall end, and the last bound of its end. Each case runs in a child.
#include "server/roles/signals.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>

namespace baton {
namespace {

Instant In(Duration wait) { return std::chrono::steady_clock::now() + wait; }

/// Stands for an end that hangs: the mask is as a joining main thread's.
void Hang() {
  for (int i = 0; i < 100; ++i) poll(nullptr, 0, 100);
  _exit(7);
}

TEST(SignalsDeathTest, AnEndThatHangsIsCutAtItsBound) {
  const auto end = [] {
    const Signals signals;
    EndWithin(std::chrono::seconds(1));
    Hang();
  };
  EXPECT_EXIT(end(), ::testing::ExitedWithCode(1), "did not come down in time");
}

TEST(SignalsDeathTest, AFurtherSignalCutsAnEndAtOnce) {
  const auto end = [] {
    const Signals signals;
    EndWithin(std::chrono::minutes(1));
    raise(SIGTERM);
    Hang();
  };
  EXPECT_EXIT(end(), ::testing::ExitedWithCode(1), "a further signal");
}

TEST(SignalsDeathTest, ASignalWhileStartingEndsAtOnce) {
  const auto start = [] {
    const Signals signals;
    const StartWatch watch;
    kill(getpid(), SIGTERM);
    Hang();
  };
  EXPECT_EXIT(start(), ::testing::ExitedWithCode(0), "ended while starting");
}

TEST(SignalsDeathTest, TheSignalOfALostTerminalIsHeardUnlessItWasIgnored) {
  const auto wait = [](void (*disposition)(int)) {
    signal(SIGHUP, disposition);
    Signals signals;
    raise(SIGHUP);
    _exit(signals.WaitUntil(In(Milliseconds(200))) ? 3 : 4);
  };
  EXPECT_EXIT(wait(SIG_DFL), ::testing::ExitedWithCode(3), "");
  EXPECT_EXIT(wait(SIG_IGN), ::testing::ExitedWithCode(4), "");
}

}  // namespace
}  // namespace baton
