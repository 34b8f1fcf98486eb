// A router of a replay: the planner that serves, and the little of a request's
// story that a replay needs.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "router/route_planner.h"
#include "tests/replay/trace_options.h"
#include "tests/replay/trace_worker.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/sim_random.h"

namespace baton {

/// A request as the replay knows it.
struct TracePrompt {
  std::size_t number = 0;
  std::vector<std::uint64_t> keys;
  int tokens = 1;
  int output_tokens = 1;
};

class TraceRouter {
 public:
  struct Events {
    /// The pair for a request; `job.prefill` and `job.decode` are links' worker numbers.
    std::function<void(const TraceJob&)> dispatched;
    std::function<void(std::size_t request)> refused;
  };

  /// `outcomes` outlives the router and is filled by it: forecast, budget, refusal.
  TraceRouter(EventQueue& events, const TraceOptions& options, int number,
              std::vector<TraceOutcome>& outcomes, Events hear);

  /// The link of the n-th worker of the replay to this router.
  LinkId LinkOf(int worker) const;
  int WorkerOf(LinkId link) const;

  void Join(int worker, const link::Register& facts);
  void Leave(int worker);
  void Hear(LinkId link, const link::WorkerMessage& message);
  void Submit(const TracePrompt& prompt);
  /// It has ended, one way or another.
  void Ended(std::size_t request);

 private:
  RouteAsk AskOf(const TracePrompt& prompt) const;
  void RouteQueue();
  bool TryRoute(const TracePrompt& prompt);
  void Dispatch(const TracePrompt& prompt, const RouteChoice& choice);

  static RequestId IdOf(std::size_t request) { return {0, request + 1}; }

  EventQueue& events_;
  const TraceOptions& options_;
  const int number_;
  std::vector<TraceOutcome>& outcomes_;
  const Events hear_;
  RoutePlanner planner_;
  SimRandom random_;
  std::deque<const TracePrompt*> waiting_;  // in order of arrival
  std::map<std::size_t, const TracePrompt*> live_;
  std::map<std::size_t, std::vector<LinkId>> charged_;
  std::map<LinkId, int> lives_;
  std::vector<LinkId> links_;  // by worker
  std::uint32_t next_link_ = 0;
  std::uint64_t turns_ = 0;
  bool polling_ = false;
};

}  // namespace baton
