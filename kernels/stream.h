// An in-order queue of work on one device. On the CPU: the caller's thread and a fixed pool beside
// it; an operation returns when it is done. Also owns the scratch memory that operations use, which
// only grows, so that a warm stream allocates nothing.
//
// Thread: one at a time (the executor's).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace baton {

class Stream {
 public:
  /// `threads` in all, the caller's included; >= 1. One thread starts no pool.
  explicit Stream(int threads);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int threads() const { return threads_; }

  /// Runs body(first, last) over a partition of [0, count) and returns when all parts are done.
  /// Which thread runs which part must not change any bit of the result.
  void ParallelFor(int count, const std::function<void(int first, int last)>& body);

  /// Runs body(worker, item) for each item of [0, count), handed out in ascending order to
  /// whichever worker is free; `worker`, of [0, threads), names the scratch that the body may use.
  void ForEach(int count, const std::function<void(int worker, int item)>& body);

  /// Memory that belongs to `slot` until the next call with that slot; 64-byte aligned, contents
  /// undefined. Slots [0, threads) belong to the workers, kSharedSlots more to the operation as a
  /// whole: SharedSlot(i).
  std::byte* Scratch(int slot, std::size_t bytes);
  static constexpr int kSharedSlots = 6;
  int SharedSlot(int index) const { return threads_ + index; }

 private:
  struct Pool;
  struct Block {
    std::unique_ptr<std::byte, void (*)(void*)> memory;
    std::size_t bytes = 0;
  };

  const int threads_;
  std::vector<Block> scratch_;  // [threads + kSharedSlots]
  std::unique_ptr<Pool> pool_;
};

}  // namespace baton
