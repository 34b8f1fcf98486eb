// Work on large inputs, away from the threads that serve everybody: parsing, templates, tokenising.
// What is small is done where it comes in; what could hold up other clients' streams goes through
// here, whichever door it came in by.
//
// Thread: any, but for TextJob.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace baton {

class TextJob {
 public:
  virtual ~TextJob() = default;
  /// On a text thread, once.
  virtual void Work() = 0;
  /// On the door's thread, once, after Work.
  virtual void Done() = 0;
};

class TextThreads {
 public:
  /// Inputs up to so many bytes are cheaper done at once: a millisecond or so.
  static constexpr std::size_t kAtOnceBytes = 16 * 1024;
  static constexpr std::size_t kJobsMax = 64;  // of all doors, until done; beyond: 503 queue_full

  /// Called on a text thread when a job has been worked: brings Finish(number) about, on whatever
  /// thread its Done is for.
  using Deliver = std::function<void(std::uint64_t number)>;

  /// `threads` >= 1. What jobs and deliveries refer to outlives this.
  explicit TextThreads(int threads);
  ~TextThreads();

  bool full() const;

  /// False, and `job` stays with the caller, while full.
  bool TryRun(std::unique_ptr<TextJob>& job, Deliver deliver);

  /// Calls Done of a worked job and forgets it.
  void Finish(std::uint64_t number);

 private:
  struct Entry {
    std::unique_ptr<TextJob> job;
    Deliver deliver;
  };

  void Loop(const std::stop_token& stop);

  mutable std::mutex mutex_;  // guards what follows; a job at work is only its text thread's
  std::condition_variable_any filled_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Entry> jobs_;
  std::deque<std::uint64_t> waiting_;
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace baton
