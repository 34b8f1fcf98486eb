// A process of the simulation: it may stand for a while (SIGSTOP) and what happens to it then
// waits, in order; it may crash, and what was meant for it is dropped.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "tests/sim/event_queue.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_random.h"

namespace baton {

class SimProcess {
 public:
  SimProcess(EventQueue& events, SimRandom& random, const SimClock& clock)
      : events_(events), random_(random), clock_(clock), life_(events.lives().Birth()) {}
  ~SimProcess() { events_.lives().Death(life_); }
  SimProcess(const SimProcess&) = delete;
  SimProcess& operator=(const SimProcess&) = delete;

  /// Runs `action` in this process after `delay`, or when it runs again.
  void Do(Duration delay, std::function<void()> action) {
    events_.AfterIfAlive(life_, delay, [this, action = std::move(action)]() mutable {
      if (events_.now() < paused_until_) {
        Do(paused_until_ - events_.now(), std::move(action));
      } else {
        action();
      }
    });
  }

  /// What the process takes for the time.
  Instant now() const { return clock_.Local(events_.now()); }
  const SimClock& clock() const { return clock_; }

  void PauseUntil(Instant time) { paused_until_ = std::max(paused_until_, time); }

  /// A hop between two threads of one process.
  Duration Hop() {
    return random_.DurationBetween(Duration::zero(), std::chrono::microseconds(60));
  }

 private:
  EventQueue& events_;
  SimRandom& random_;
  const SimClock clock_;
  const std::size_t life_;
  Instant paused_until_{};
};

/// A thread that makes rounds: when something came, and when the last round said that it is due, by
/// the process's own clock. A round asked for earlier than the one planned comes earlier; a planned
/// one that is overtaken is skipped.
class SimRounds {
 public:
  SimRounds(SimProcess& process, EventQueue& events, std::function<Instant()> round)
      : process_(process), events_(events), round_(std::move(round)) {}

  void Wake(Duration delay) { Plan(events_.now() + delay); }

 private:
  void Plan(Instant time) {
    if (time >= next_) return;
    next_ = time;
    const std::uint64_t plan = ++plan_;
    process_.Do(time - events_.now(), [this, plan] {
      if (plan == plan_) Run();
    });
  }

  void Run() {
    next_ = kNever;
    const Instant due = process_.clock().World(round_());
    if (due != kNever) Plan(std::max(due, events_.now() + std::chrono::microseconds(1)));
  }

  SimProcess& process_;
  EventQueue& events_;
  const std::function<Instant()> round_;
  Instant next_ = kNever;
  std::uint64_t plan_ = 0;
};

}  // namespace baton
