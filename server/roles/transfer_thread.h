// The thread that owns one end of all hand-offs (OutboundTransfers or InboundTransfers) and its
// transport: commands come in through one bounded queue, events leave through a sink, and in
// between it sleeps on the transport's file descriptor.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/check.h"
#include "base/time.h"
#include "kvtransfer/transport.h"
#include "server/roles/bell.h"

namespace baton {

template <typename Transfers, typename Command, typename Event, typename Stats>
class TransferThread {
 public:
  /// False when its queue is full; the event is then offered again.
  using EventSink = std::function<bool(Event&&)>;

  TransferThread(Transport& transport, Transfers& transfers)
      : transport_(transport),
        transfers_(transfers),
        commands_(kCommandsMax, [this] { bell_.Ring(); }) {}
  ~TransferThread() { Stop(); }

  void Start(EventSink sink) {
    sink_ = std::move(sink);
    thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  }

  void Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    bell_.Ring();
    thread_.join();
  }

  /// Thread: any. What is queued is bounded by the hand-offs and steps in flight, whose bounds are
  /// far below the queue's: a full queue is our bug.
  void Push(Command command) { BATON_CHECK(commands_.TryPush(std::move(command))); }

  bool settled() const {
    std::lock_guard lock(mutex_);
    return settled_;
  }
  Stats stats() const {
    std::lock_guard lock(mutex_);
    return stats_;
  }

 private:
  static constexpr std::size_t kCommandsMax = 65'536;
  static constexpr Duration kSinkRetry = Milliseconds(1);

  void Run(const std::stop_token& stop) {
    std::vector<Command> commands;
    while (!stop.stop_requested()) {
      commands.clear();
      commands_.DrainTo(commands);
      const Instant now = std::chrono::steady_clock::now();
      for (const Command& command : commands) transfers_.On(command, now);
      Instant due = transfers_.Tick(now);
      for (Event& event : transfers_.TakeEvents()) pending_.push_back(std::move(event));
      if (!Deliver()) due = std::min(due, now + kSinkRetry);
      Publish();
      if (transport_.ArmWakeup()) bell_.Wait(transport_.wake_fd(), due);
    }
  }

  /// Hands over pending events in order; false when the sink is full.
  bool Deliver() {
    std::size_t done = 0;
    while (done < pending_.size() && sink_(std::move(pending_[done]))) ++done;
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(done));
    return pending_.empty();
  }

  void Publish() {
    const Stats stats = transfers_.stats();
    const bool settled = transfers_.settled();
    std::lock_guard lock(mutex_);
    stats_ = stats;
    settled_ = settled;
  }

  Transport& transport_;
  Transfers& transfers_;
  Bell bell_;
  BoundedQueue<Command> commands_;
  EventSink sink_;
  std::vector<Event> pending_;
  mutable std::mutex mutex_;
  Stats stats_{};        // under mutex_
  bool settled_ = true;  // under mutex_
  std::jthread thread_;
};

}  // namespace baton
