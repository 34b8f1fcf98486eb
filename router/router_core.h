// The router as one plain object: links, requests and time go in; messages to workers come out, and
// observers hear what becomes of their requests. No clock, thread, socket, log or metric.
//
//   Submit --> queue --> route --> jobs to prefill and decode at once --> tokens, in order --> end
//                ^                                                          |
//                +---- new attempt: prompt + tokens so far <--- worker lost, retryable failure
//
// Every submitted request ends exactly once, at the latest at its deadline.
//
// Thread: one (a router's route thread).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "base/ids.h"
#include "base/time.h"
#include "proto/link.pb.h"
#include "router/live_requests.h"
#include "router/request.h"
#include "router/route_planner.h"
#include "router/router_options.h"
#include "router/router_output.h"
#include "router/router_stats.h"

namespace baton {

class RouterCore {
 public:
  explicit RouterCore(const RouterOptions& options);
  ~RouterCore();
  RouterCore(const RouterCore&) = delete;
  RouterCore& operator=(const RouterCore&) = delete;

  /// A worker dialled in and registered. Answered with Welcome, or with Refused that names what
  /// differs from the fleet, from the router's model, or that a live worker has its id. A LinkId is
  /// never used again.
  void OnLinkUp(LinkId link, const link::Register& facts, Instant now);

  /// The stream ended. Its jobs are routed anew, and the worker's peers hear a Verdict. Unknown
  /// links are ignored.
  void OnLinkLost(LinkId link, Instant now);

  /// Anything but Register. Unknown links, ended requests and older attempts are ignored.
  void OnMessage(LinkId link, const link::WorkerMessage& message, Instant now);

  /// `observer` hears exactly one end; a refusal comes before Submit returns.
  void Submit(Request request, std::unique_ptr<ResponseObserver> observer, Instant now);

  /// The observer hears Cancelled before Cancel returns, unless the end came before. `answered`:
  /// the answer is whole (a stop string ended it), so it counts as finished.
  void Cancel(const RequestId& id, bool answered);

  /// New requests are refused with "draining"; those begun are followed to their end.
  void StartDrain();

  /// One bounded round: deadlines, silent workers, retries that are due, the queue. Call it after
  /// every batch of inputs, and at the instant it returned.
  Instant Tick(Instant now);

  /// Messages since the last call, in order per link.
  std::vector<RouterOutput> TakeOutputs();

  /// Lifecycle lines for the log since the last call: a worker came, left, was refused, was lost.
  /// At most 256 are kept.
  std::vector<RouterNote> TakeNotes();

  /// Whether a request submitted now would find a pair; see Gateway::ready.
  bool Ready(Instant now) const;

  /// What the registered workers serve; nothing while there are none.
  std::optional<ServedModel> Model() const;

  /// True when a drain was started and no request is live.
  bool Drained() const;

  RouterStats Stats(Instant now) const;

 private:
  // links (router_core.cc)
  void Refuse(LinkId link, const absl::Status& why);
  bool IsTaken(const link::Register& facts, Instant now) const;
  void Lose(LinkId link, const std::string& why, Instant now);
  void OnLoad(const Worker& worker, const link::Load& load, Instant now);
  void OnCacheEvents(const Worker& worker, const link::CacheEvents& events, Instant now);
  void AskResync(LinkId link);
  void OnAccepted(LinkId link, const link::JobAccepted& accepted);
  void OnReport(LinkId link, const link::HandoffReport& report);
  void LoseSilent(Instant now);
  void Note(std::string line, bool degraded = false);

  // requests (router_requests.cc)
  /// Where each request goes; those that cannot go stay queued.
  void RouteQueue(Instant now);
  /// False when everybody is full: whoever came later waits too.
  bool TryRoute(LiveRequest& live, Instant now);
  void Dispatch(LiveRequest& live, const RouteChoice& choice, Instant now);
  void UpdateKeys(LiveRequest& live) const;
  int ExpectedOutput(const RequestFlow& flow) const;
  FlowPair PairOf(const RouteChoice& choice) const;
  bool AloneAllowed(Instant now) const;
  /// After every event of a flow: settles what it no longer uses, files it anew or erases it.
  void After(LiveRequest& live);
  void Settle(LiveRequest& live, bool forget_expected);
  /// Looks the request up and hands it to `event`; nothing when it ended.
  void WithFlow(const RequestId& id, absl::FunctionRef<void(RequestFlow&)> event);

  const RouterOptions options_;
  RoutePlanner planner_;
  LiveRequests live_;
  RouterOutbox outbox_;
  std::vector<RouterNote> notes_;
  RouterStats stats_;  // the counters
  std::mt19937_64 random_;
  std::uint64_t turns_ = 0;
  double output_tokens_mean_;
  bool draining_ = false;
  bool prefill_seen_ = false;
  std::optional<Instant> decode_since_;  // the first decode worker ever
};

}  // namespace baton
