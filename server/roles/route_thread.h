// The thread that owns a RouterCore, and the Gateway that the front doors see of it: inputs come
// through one bounded queue, messages to workers leave through the link service.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "base/metrics.h"
#include "router/router_core.h"
#include "server/gateway.h"
#include "server/link_events.h"
#include "server/link_service.h"

namespace baton {

class RouteThread : public Gateway {
 public:
  /// `metrics` outlives it.
  RouteThread(const RouterOptions& options, Metrics& metrics);
  ~RouteThread() override;

  /// Takes what workers say; for LinkService::Start. Valid as long as this object.
  RouterLinkSink Sink();

  /// Runs the thread. `links` outlives it.
  void Start(LinkService& links);

  /// Joins the thread: no observer is called afterwards.
  void Stop();

  /// New requests are refused; those begun are followed to their end. Thread: any.
  void StartDrain();

  /// True when a drain was started and no request is live. Thread: any.
  bool drained() const { return drained_.load(std::memory_order_acquire); }

  /// True while the thread makes its rounds. Thread: any.
  bool alive() const;

  RouterStats stats() const;

  void Submit(Request request, std::unique_ptr<ResponseObserver> observer) override;
  void Cancel(RequestId id, CancelReason reason) override;
  std::optional<ServedModel> model() const override;
  bool had_worker() const override;
  bool ready() const override;

 private:
  struct SubmitInput {
    Request request;
    std::unique_ptr<ResponseObserver> observer;
  };
  struct CancelInput {
    RequestId id;
    bool answered = false;
  };
  using Input = std::variant<SubmitInput, CancelInput, RouterLinkEvent>;

  /// What other threads may know of the core, as of the last round.
  struct Snapshot {
    std::optional<ServedModel> model;
    bool ready = false;
    RouterStats stats;
  };

  void Run(const std::stop_token& stop);
  void Apply(Input& input, Instant now);
  void ApplyLink(RouterLinkEvent& event, Instant now);
  void TurnAway();
  void Flush();
  void Publish(Instant now);

  RouterCore core_;  // the route thread's once it runs
  MetricHistogram route_seconds_;
  BoundedQueue<Input> inputs_;
  LinkService* links_ = nullptr;
  std::atomic<bool> drain_asked_{false};  // relaxed: no queue, however full, may lose it
  std::atomic<bool> drained_{false};
  std::atomic<std::int64_t> last_round_ns_{0};  // relaxed: a time stamp, nothing hangs on its order
  mutable std::mutex mutex_;
  Snapshot snapshot_;        // under mutex_
  bool had_worker_ = false;  // under mutex_
  // Found the queue full, and hear so on the route thread as of everything else. Under mutex_;
  // bounded by the calls that the doors hold open.
  std::vector<std::unique_ptr<ResponseObserver>> turned_away_;
  std::jthread thread_;
};

}  // namespace baton
