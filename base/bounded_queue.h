// The only way threads meet: a queue with a bound and a bell. Push never blocks; a full queue is an
// answer that the producer must handle.
//
// Thread: any number of producers, one consumer.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "base/time.h"

namespace baton {

template <typename Item>
class BoundedQueue {
 public:
  /// `bell` is called after a push, outside the lock, on the producer's thread: it wakes a consumer
  /// that waits on something else than WaitUntil (an eventfd, an io_context). May be null.
  explicit BoundedQueue(std::size_t items_max, std::function<void()> bell = nullptr)
      : items_max_(items_max), bell_(std::move(bell)) {}

  /// False when the queue is full; `item` is then left as it was.
  bool TryPush(Item&& item) {
    {
      std::lock_guard lock(mutex_);
      if (items_.size() >= items_max_) return false;
      items_.push_back(std::move(item));
    }
    filled_.notify_one();
    if (bell_) bell_();
    return true;
  }

  /// Moves everything queued to the end of `out`. Never waits.
  void DrainTo(std::vector<Item>& out) {
    std::lock_guard lock(mutex_);
    for (Item& item : items_) out.push_back(std::move(item));
    items_.clear();
  }

  /// Waits until something is queued, Ring() was called, or `deadline` has come.
  void WaitUntil(Instant deadline) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return !items_.empty() || rung_; };
    if (deadline == kNever) {
      // A wait always has a deadline: an hour stands for never, the caller loops.
      deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
    }
    filled_.wait_until(lock, deadline, ready);
    rung_ = false;
  }

  /// Ends the current or the next WaitUntil without an item.
  void Ring() {
    {
      std::lock_guard lock(mutex_);
      rung_ = true;
    }
    filled_.notify_one();
    if (bell_) bell_();
  }

 private:
  const std::size_t items_max_;
  const std::function<void()> bell_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<Item> items_;
  bool rung_ = false;
};

}  // namespace baton
