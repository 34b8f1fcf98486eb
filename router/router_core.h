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
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "proto/link.pb.h"
#include "router/request.h"
#include "router/router_options.h"
#include "router/router_stats.h"

namespace baton {

/// A message for the worker at the other end of `link`. After a `refused` the link is to be closed.
struct RouterOutput {
  LinkId link{};
  link::RouterMessage message;
};

class RouterCore {
 public:
  explicit RouterCore(const RouterOptions& options);
  ~RouterCore();
  RouterCore(const RouterCore&) = delete;
  RouterCore& operator=(const RouterCore&) = delete;

  /// A worker dialled in and registered. Answered with Welcome, or with Refused that names what
  /// differs from the fleet. A LinkId is never used again.
  void OnLinkUp(LinkId link, const link::Register& facts, Instant now);

  /// The stream broke. Its jobs are routed anew, and the worker's peers hear a Verdict. Unknown
  /// links are ignored.
  void OnLinkLost(LinkId link, Instant now);

  /// Anything but Register. Unknown links, ended requests and older attempts are ignored.
  void OnMessage(LinkId link, const link::WorkerMessage& message, Instant now);

  /// `observer` hears exactly one end; a refusal comes before Submit returns.
  void Submit(Request request, std::unique_ptr<ResponseObserver> observer, Instant now);

  /// The observer hears Cancelled before Cancel returns, unless the end came before.
  void Cancel(const RequestId& id, Instant now);

  /// New requests are refused with "draining"; those begun are followed to their end.
  void StartDrain();

  /// One bounded round: deadlines, silent workers, retries that are due, the queue. Call it after
  /// every batch of inputs, and at the instant it returned.
  Instant Tick(Instant now);

  /// Messages since the last call, in order per link.
  std::vector<RouterOutput> TakeOutputs();

  /// Lifecycle lines for the log since the last call: a worker came, was refused, was lost. At most
  /// 256 are kept.
  std::vector<std::string> TakeNotes();

  /// Whether a request submitted now would find a pair; see Gateway::ready.
  bool Ready(Instant now) const;

  /// What the registered workers serve; nothing while there are none.
  std::optional<ServedModel> Model() const;

  /// True when a drain was started and no request is live.
  bool Drained() const;

  RouterStats Stats() const;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace baton
