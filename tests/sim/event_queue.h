// Virtual time: a heap of events ordered by (time, number). One thread, no clock; the order of
// equal times is the order in which they were added, so a seed decides everything. A running hash
// of what happened names the run.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
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
  std::vector<bool> alive_{true};  // the first never ends
};

class EventQueue {
 public:
  LifeTable& lives() { return lives_; }

  /// As After, but dropped when `life` has ended by then.
  void AfterIfAlive(std::size_t life, Duration delay, std::function<void()> action) {
    AtIfAlive(life, now_ + delay, std::move(action));
  }
  void AtIfAlive(std::size_t life, Instant time, std::function<void()> action) {
    std::uint32_t slot = static_cast<std::uint32_t>(actions_.size());
    if (free_.empty()) {
      actions_.emplace_back();
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    actions_[slot] = {life, std::move(action)};
    heap_.push({std::max(time, now_), next_++, slot});
  }

  Instant now() const { return now_; }

  void At(Instant time, std::function<void()> action) {
    AtIfAlive(kForEver, time, std::move(action));
  }
  void After(Duration delay, std::function<void()> action) { At(now_ + delay, std::move(action)); }

  /// Runs the next event. False when there is none before `end`; time then stands at `end`.
  bool RunOne(Instant end) {
    if (heap_.empty() || heap_.top().time > end) {
      now_ = end;
      return false;
    }
    const Event event = heap_.top();
    heap_.pop();
    now_ = event.time;
    ++events_;
    const Action action = std::exchange(actions_[event.slot], {});
    free_.push_back(event.slot);
    if (lives_.Alive(action.life)) action.run();
    return true;
  }

  /// Mixes a fact into the trace's hash.
  void Trace(const char* what, std::uint64_t a = 0, std::uint64_t b = 0) {
    recent_[traced_++ % kRecent] = {what, a, b, events_, now_};
    for (char c : absl::string_view(what))
      hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    for (std::uint64_t word : {a, b, static_cast<std::uint64_t>(now_.time_since_epoch().count())}) {
      hash_ = (hash_ ^ word) * 0x100000001b3ULL;
    }
  }
  std::uint64_t trace_hash() const { return hash_; }
  /// The last facts that were traced, oldest first.
  std::vector<std::string> last() const {
    std::vector<std::string> lines;
    for (std::size_t i = traced_ < kRecent ? 0 : traced_ - kRecent; i < traced_; ++i) {
      const Fact& fact = recent_[i % kRecent];
      lines.push_back(absl::StrFormat("event %d at %.6f s: %s %d %d", fact.event,
                                      ToSeconds(fact.time - kBegin), fact.what, fact.a, fact.b));
    }
    return lines;
  }
  std::uint64_t events() const { return events_; }

 private:
  struct Event {
    Instant time;
    std::uint64_t number;
    std::uint32_t slot;  // of its action: what a heap moves about is small

    bool operator<(const Event& other) const {  // the top of the heap is the earliest
      return std::pair(time, number) > std::pair(other.time, other.number);
    }
  };

  struct Fact {
    const char* what = "";  // a literal
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    std::uint64_t event = 0;
    Instant time{};
  };
  static constexpr std::size_t kRecent = 50;
  static constexpr Instant kBegin{std::chrono::hours(1)};  // not zero: a forgotten time stamp shows

  struct Action {
    std::size_t life = kForEver;
    std::function<void()> run;
  };
  static constexpr std::size_t kForEver = 0;

  LifeTable lives_;
  std::priority_queue<Event> heap_;
  std::vector<Action> actions_;
  std::vector<std::uint32_t> free_;
  std::array<Fact, kRecent> recent_{};
  std::size_t traced_ = 0;
  Instant now_ = kBegin;
  std::uint64_t next_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace baton
