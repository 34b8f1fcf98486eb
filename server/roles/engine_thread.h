// The thread that owns a worker (PrefillWorker or DecodeWorker): everything that happens to it
// comes through one bounded queue; what it wants said leaves after each round.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "base/time.h"
#include "kvcache/page_ledger.h"
#include "server/link_client.h"
#include "server/link_events.h"

namespace baton {

template <typename Worker, typename Event, typename Stats>
class EngineThread {
 public:
  using Input = std::variant<WorkerLinkEvent, Event>;

  /// What other threads may know of the worker, as of its last round.
  struct Snapshot {
    Stats stats{};
    PageLedger ledger;
    bool drained = false;
    bool broken = false;  // the device is lost
  };

  explicit EngineThread(Worker& worker) : worker_(worker), inputs_(kInputsMax) {}
  ~EngineThread() { Stop(); }

  /// `after_round` runs on the engine thread after each round: it carries the worker's outputs
  /// away.
  void Start(std::function<void(Worker&)> after_round) {
    after_round_ = std::move(after_round);
    Stamp();
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }

  void Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    inputs_.Ring();
    thread_.join();
  }

  /// Thread: any. False when the queue is full; the item is then as it was.
  template <typename Item>
  bool Offer(Item&& item) {
    Input input(std::forward<Item>(item));
    if (inputs_.TryPush(std::move(input))) return true;
    item = std::move(std::get<std::decay_t<Item>>(input));
    return false;
  }

  /// Thread: any. What was accepted is finished; snapshot().drained tells when.
  void Drain() {
    drain_asked_.store(true, std::memory_order_relaxed);
    inputs_.Ring();
  }
  void StepReady() { inputs_.Ring(); }

  bool alive() const {
    const Instant last{Duration(last_round_ns_.load(std::memory_order_relaxed))};
    return std::chrono::steady_clock::now() - last < kAliveWithin;
  }
  Snapshot snapshot() const {
    std::lock_guard lock(mutex_);
    return snapshot_;
  }

 private:
  static constexpr std::size_t kInputsMax = 65'536;
  static constexpr Duration kRoundMax = std::chrono::seconds(1);
  static constexpr Duration kAliveWithin = std::chrono::seconds(10);

  void Run(const std::stop_token& stop) {
    std::vector<Input> inputs;
    while (!stop.stop_requested()) {
      inputs.clear();
      inputs_.DrainTo(inputs);
      const Instant now = std::chrono::steady_clock::now();
      for (Input& input : inputs) Apply(input, now);
      if (drain_asked_.load(std::memory_order_relaxed)) worker_.StartDrain(now);
      const Instant due = worker_.Tick(now);
      after_round_(worker_);
      Publish();
      inputs_.WaitUntil(std::min(due, now + kRoundMax));
    }
  }

  void Apply(Input& input, Instant now) {
    if (auto* link = std::get_if<WorkerLinkEvent>(&input)) {
      switch (link->kind) {
        case LinkEventKind::kUp:
          return worker_.OnLinkUp(link->link, now);
        case LinkEventKind::kMessage:
          return worker_.OnMessage(link->link, link->message, now);
        case LinkEventKind::kLost:
          return worker_.OnLinkLost(link->link, now);
      }
    } else if (auto* event = std::get_if<Event>(&input)) {
      worker_.OnTransfer(*event, now);
    }
  }

  void Stamp() {
    last_round_ns_.store(std::chrono::steady_clock::now().time_since_epoch().count(),
                         std::memory_order_relaxed);  // a time stamp: nothing hangs on its order
  }

  void Publish() {
    Stamp();
    const Snapshot snapshot{worker_.stats(), worker_.ledger(), worker_.drained(),
                            !worker_.status().ok()};
    std::lock_guard lock(mutex_);
    snapshot_ = snapshot;
  }

  Worker& worker_;
  BoundedQueue<Input> inputs_;
  std::function<void(Worker&)> after_round_;
  std::atomic<bool> drain_asked_{false};  // relaxed: no queue, however full, may lose it
  std::atomic<std::int64_t> last_round_ns_{0};
  mutable std::mutex mutex_;
  Snapshot snapshot_;  // under mutex_
  std::jthread thread_;
};

}  // namespace baton
