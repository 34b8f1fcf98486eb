// Virtual time: a heap of events ordered by (time, number). One thread, no clock; the order of
// equal times is the order in which they were added, so a seed decides everything. A running hash
// of what happened names the run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/time.h"

namespace baton {

/// Tells events whether what they want to touch still lives: a process of the simulation may have
/// crashed. A slot in a table that only grows, so a number can outlive its owner.
class LifeTable {
 public:
  std::size_t Birth() {
    alive_.push_back(true);
    return alive_.size() - 1;
  }
  void Death(std::size_t life) { alive_[life] = false; }
  bool Alive(std::size_t life) const { return alive_[life]; }

 private:
  std::vector<bool> alive_;
};

class EventQueue {
 public:
  LifeTable& lives() { return lives_; }

  /// As After, but dropped when `life` has ended by then.
  void AfterIfAlive(std::size_t life, Duration delay, std::function<void()> action) {
    AtIfAlive(life, now_ + delay, std::move(action));
  }
  void AtIfAlive(std::size_t life, Instant time, std::function<void()> action) {
    At(time, [this, life, action = std::move(action)] {
      if (lives_.Alive(life)) action();
    });
  }

  Instant now() const { return now_; }

  void At(Instant time, std::function<void()> action) {
    heap_.push({std::max(time, now_), next_++, std::move(action)});
  }
  void After(Duration delay, std::function<void()> action) { At(now_ + delay, std::move(action)); }

  /// Runs the next event. False when there is none before `end`; time then stands at `end`.
  bool RunOne(Instant end) {
    if (heap_.empty() || heap_.top().time > end) {
      now_ = end;
      return false;
    }
    Event event = std::move(const_cast<Event&>(heap_.top()));  // popped in the next line
    heap_.pop();
    now_ = event.time;
    ++events_;
    event.action();
    return true;
  }

  /// Mixes a fact into the trace's hash.
  void Trace(absl::string_view what, std::uint64_t a = 0, std::uint64_t b = 0) {
    for (char c : what) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    for (std::uint64_t word : {a, b, static_cast<std::uint64_t>(now_.time_since_epoch().count())}) {
      hash_ = (hash_ ^ word) * 0x100000001b3ULL;
    }
  }
  std::uint64_t trace_hash() const { return hash_; }
  std::uint64_t events() const { return events_; }

 private:
  struct Event {
    Instant time;
    std::uint64_t number;
    std::function<void()> action;

    bool operator<(const Event& other) const {  // the top of the heap is the earliest
      return std::pair(time, number) > std::pair(other.time, other.number);
    }
  };

  LifeTable lives_;
  std::priority_queue<Event> heap_;
  Instant now_{std::chrono::hours(1)};  // not zero: a forgotten time stamp shows
  std::uint64_t next_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace baton
