// A decode worker of a replay: the planner of steps, page budget, pool and index that serve; steps
// take the time that the options say. Every sequence gets the output that the trace states.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "decode/decode_scheduler.h"
#include "decode/page_budget.h"
#include "scheduling/step_time.h"
#include "tests/replay/trace_worker.h"
#include "tests/sim/sim_random.h"

namespace baton {

class TraceDecode {
 public:
  struct Events {
    std::function<void(const TraceJob&, int lacking_pages)> granted;  // pages for a hand-off
    std::function<void(const TraceJob&, int cached_tokens)> first;    // of a prompt run here
    std::function<void(const TraceJob&, double itl_max, double itl_mean)> finished;
  };

  TraceDecode(EventQueue& events, const TraceOptions& options, const link::Register& facts,
              TraceWorker::Say say, Events hear);

  TraceWorker& worker() { return worker_; }
  /// The prompt's first chunk is about to run elsewhere: pages, please.
  void Offer(const TraceJob& job);
  /// All pages and the first token are here.
  void Commit(std::size_t request);
  /// Runs the prompt itself.
  void Accept(const TraceJob& job);
  void Publish();

  double busy_seconds() const { return busy_seconds_; }

 private:
  struct Sequence {
    TraceJob job;
    TracePages pages;
    std::uint32_t promised = 0;
    int computed = 0;
    int known = 0;  // prompt and output
    int left = 0;   // of the output
    bool local = false;
    bool running = false;
    Instant last_token{};
    double itl_sum = 0;
    double itl_max = 0;
    int tokens = 0;
  };

  void Admit();
  bool TryAdmit(Sequence& sequence);
  void TryStep();
  void Finish(const std::vector<DecodeRun>& runs, const StepShape& shape, double seconds);
  void Token(Sequence& sequence);
  bool Grow(Sequence& sequence);
  void End(SequenceId id);
  link::Load Load() const;

  EventQueue& events_;
  const TraceOptions& options_;
  TraceWorker worker_;
  const Events hear_;
  SimRandom random_;
  PageBudget budget_;
  StepTime time_;
  std::deque<SequenceId> waiting_;
  std::vector<SequenceId> running_;  // in order of admission
  std::map<SequenceId, Sequence> sequences_;
  std::map<std::size_t, SequenceId> by_request_;
  std::uint64_t last_sequence_ = 0;
  bool busy_ = false;
  double busy_seconds_ = 0;
};

}  // namespace baton
