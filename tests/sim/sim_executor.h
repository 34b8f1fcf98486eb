// An Executor in virtual time: writes the hash model's rows into real pages, layer by layer at
// drawn times, and samples from what then stands there.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>

#include "engine/executor.h"
#include "kvcache/kv_arena.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/sim_random.h"

namespace baton {

class SimExecutor : public Executor {
 public:
  struct Options {
    Duration step_fixed = Milliseconds(1);
    Duration per_token = std::chrono::microseconds(20);
    LayerDone layer_done;  // may be null
    StepReady step_ready;
  };

  SimExecutor(EventQueue& events, KvArena& arena, Options options)
      : events_(events),
        arena_(arena),
        options_(std::move(options)),
        life_(events.lives().Birth()) {}
  ~SimExecutor() override { events_.lives().Death(life_); }

  absl::Status Launch(Step step) override {
    if (broken_) return absl::UnavailableError("the device is lost");
    progress_at_ = std::max(progress_at_, events_.now());
    steps_.push_back({std::move(step), false});
    if (steps_.size() == 1 || steps_[steps_.size() - 2].done) Begin();
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<StepResult>> TryCollect() override {
    if (broken_) return absl::UnavailableError("the device is lost");
    if (steps_.empty() || !steps_.front().done) return std::nullopt;
    StepResult result = std::move(steps_.front().result);
    steps_.pop_front();
    return result;
  }

  int max_in_flight() const override { return 2; }

  /// Nothing is computed while a process stands (SIGSTOP). What it hears when it goes on may be
  /// old.
  void StandUntil(Instant time) {
    HangUntil(time);
    progress_at_ = std::max(progress_at_, time);
  }

  /// The device hangs, and nobody hears anything.
  void HangUntil(Instant time) { stalled_until_ = std::max(stalled_until_, time); }

  /// Steps take so many times longer from now on than at first.
  void Slow(int times) { slowness_ = times; }

  /// For how long a step has been under way without finishing a layer, and none was launched.
  Duration silence(Instant now) const {
    const bool idle = steps_.empty() || steps_.back().done;
    return idle ? Duration::zero() : now - progress_at_;
  }

  /// The device is lost: what it was computing never comes.
  void Break() { broken_ = true; }

 private:
  struct Flight {
    Step step;
    bool done = false;
    StepResult result{};
  };

  /// The first step that is not done.
  Flight& Current() {
    for (Flight& flight : steps_) {
      if (!flight.done) return flight;
    }
    return steps_.back();
  }

  void Begin() { Schedule(0); }

  void Schedule(int layer) {
    const Duration whole =
        slowness_ * (options_.step_fixed + options_.per_token * Current().step.num_tokens());
    events_.AfterIfAlive(life_, whole / (arena_.layout().num_layers + 1),
                         [this, layer] { Advance(layer); });
  }

  void Advance(int layer) {
    if (events_.now() < stalled_until_) {
      events_.AtIfAlive(life_, stalled_until_, [this, layer] { Advance(layer); });
      return;
    }
    if (broken_) return;
    progress_at_ = std::max(progress_at_, events_.now());
    Flight& flight = Current();
    if (layer < arena_.layout().num_layers) {
      for (const StepEntry& entry : flight.step.entries) WriteHashRows(entry, layer, arena_);
      if (options_.layer_done) options_.layer_done(flight.step.number, layer);
      return Schedule(layer + 1);
    }
    flight.result.number = flight.step.number;
    for (const StepEntry& entry : flight.step.entries) {
      if (!entry.followers.empty()) flight.result.prompts.push_back(ScoreFromPages(entry, arena_));
      if (entry.samples)
        flight.result.sampled.push_back({entry.sequence, SampleFromPages(entry, arena_)});
    }
    flight.done = true;
    if (options_.step_ready) options_.step_ready();
    if (!steps_.empty() && !steps_.back().done) Begin();
  }

  EventQueue& events_;
  KvArena& arena_;
  Options options_;
  std::deque<Flight> steps_;
  int slowness_ = 1;
  Instant stalled_until_{};
  Instant progress_at_{};
  bool broken_ = false;
  const std::size_t life_;
};

}  // namespace baton
