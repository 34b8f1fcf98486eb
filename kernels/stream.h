// An in-order queue of work on one device. On the CPU: the caller's thread and a fixed pool beside
// it; an operation returns when it is done.
//
// Thread: one at a time (the executor's).
#pragma once

#include <functional>
#include <memory>

namespace baton {

class Stream {
 public:
  /// `threads` in all, the caller's included; >= 1.
  explicit Stream(int threads);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int threads() const { return threads_; }

  /// Runs body(first, last) over a partition of [0, count) and returns when all parts are done.
  /// Which thread runs which part must not change any bit of the result.
  void ParallelFor(int count, const std::function<void(int first, int last)>& body);

 private:
  struct Pool;
  const int threads_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace baton
