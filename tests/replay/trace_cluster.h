// A replay of recorded traffic in virtual time: routers, prefill and decode workers, made of the
// parts that serve; links and steps take the time that the options say. Equal options, equal bytes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "tests/replay/trace_decode.h"
#include "tests/replay/trace_file.h"
#include "tests/replay/trace_options.h"
#include "tests/replay/trace_prefill.h"
#include "tests/replay/trace_router.h"
#include "tests/sim/event_queue.h"

namespace baton {

struct TraceRun {
  std::vector<TraceOutcome> outcomes;  // by request, in the trace's order
  std::vector<double> prefill_busy;    // seconds of each prefill worker
  std::vector<double> decode_busy;
  double seconds = 0;  // of virtual time
};

class TraceCluster {
 public:
  TraceCluster(const TraceOptions& options, const Trace& trace);

  TraceRun Run();

 private:
  /// The pages of one hand-off on their way.
  struct Handoff {
    TraceJob job;
    bool granted = false;
    bool computed = false;
    int lacking = 0;  // pages that decode wants
    int ready = 0;    // pages of the prompt that are computed
    int sent = 0;     // of those that decode lacks
    Instant wire_free{};
    bool committed = false;
  };

  static RouterOptions RoutedBy(const TraceOptions& options);
  link::Register FactsOf(int worker, bool decode) const;
  void AddRouters();
  void AddWorkers();
  void JoinAll(int worker, const link::Register& facts);
  void Wire(int worker, TraceWorker& to);
  TraceWorker::Say SayOf();
  bool prefill_only() const { return options_.decode == 0; }

  void Arrive(std::size_t request);
  void Dispatched(int router, const TraceJob& job);
  void Begun(const TraceJob& job);
  void PagesReady(const TraceJob& job, int pages);
  void FirstToken(const TraceJob& job, int cached_tokens);
  void Granted(const TraceJob& job, int lacking);
  void Push(std::size_t request);
  void Finished(const TraceJob& job, double itl_max, double itl_mean);
  void End(std::size_t request, TraceOutcome::End how);

  const TraceOptions options_;
  EventQueue events_;
  const Instant start_;
  std::vector<TracePrompt> prompts_;
  std::vector<TraceOutcome> outcomes_;
  std::vector<std::unique_ptr<TraceRouter>> routers_;
  std::vector<std::unique_ptr<TracePrefill>> prefill_;
  std::vector<std::unique_ptr<TraceDecode>> decode_;
  std::map<std::size_t, Handoff> handoffs_;
  std::size_t open_ = 0;
};

}  // namespace baton
