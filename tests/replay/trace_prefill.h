// A prefill worker of a replay: the scheduler, pool, index and fit that serve; steps take the time
// that the options say.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "prefill/prefill_scheduler.h"
#include "tests/replay/trace_worker.h"
#include "tests/sim/sim_random.h"

namespace baton {

class TracePrefill {
 public:
  /// What the hand-off needs to hear.
  struct Events {
    std::function<void(const TraceJob&)> begun;                    // it has its pages
    std::function<void(const TraceJob&, int pages)> pages_ready;   // so many more, in all `pages`
    std::function<void(const TraceJob&, int cached_tokens)> done;  // first token
  };

  TracePrefill(EventQueue& events, const TraceOptions& options, const link::Register& facts,
               double speed, TraceWorker::Say say, Events hear);

  TraceWorker& worker() { return worker_; }
  void Accept(const TraceJob& job);
  /// The hand-off is over: its pages are quiet.
  void Release(std::size_t request);
  void Publish();

  double busy_seconds() const { return busy_seconds_; }
  std::uint64_t computed_tokens() const { return computed_tokens_; }

 private:
  struct Prompt {
    TraceJob job;
    TracePages pages;
    int expected_cached = 0;  // tokens found when it came
    int computed = 0;
    bool begun = false;
    bool done = false;
  };

  void TryStep();
  bool Begin(Prompt& prompt);
  void Finish(const std::vector<PromptChunk>& chunks, const StepShape& shape, double seconds);
  void FinishChunk(const PromptChunk& chunk);
  double QueueTokens() const;
  link::Load Load() const;

  EventQueue& events_;
  const TraceOptions& options_;
  TraceWorker worker_;
  const Events hear_;
  const double speed_;
  SimRandom random_;
  PrefillScheduler scheduler_;
  StepTime time_;
  std::map<SequenceId, Prompt> prompts_;
  std::map<std::size_t, SequenceId> by_request_;
  std::uint64_t last_sequence_ = 0;
  bool busy_ = false;
  Instant step_began_{};
  double step_forecast_ = 0;  // seconds
  double step_tokens_ = 0;
  double busy_seconds_ = 0;
  std::uint64_t computed_tokens_ = 0;
};

/// Seconds as virtual time.
Duration TraceDuration(double seconds);

}  // namespace baton
