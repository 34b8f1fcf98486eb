// Work on large inputs, away from the HTTP thread: parsing, templates, tokenising. What is small is
// done where it comes in; what could hold up other clients' streams goes through here.
//
// Thread: HTTP, but for TextJob::Work.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "server/http/http_server.h"

namespace baton {

class TextJob {
 public:
  virtual ~TextJob() = default;
  /// On a text thread, once.
  virtual void Work() = 0;
  /// On the HTTP thread, once, after Work.
  virtual void Done() = 0;
};

class TextThreads {
 public:
  /// Bodies up to so many bytes are cheaper done at once: a millisecond or so.
  static constexpr std::size_t kAtOnceBytes = 16 * 1024;
  static constexpr std::size_t kJobsMax = 64;  // waiting or at work; beyond: 503 queue_full

  /// `threads` >= 1. The server outlives this; it has stopped when this dies.
  TextThreads(HttpServer& server, int threads);
  ~TextThreads();

  bool full() const { return jobs_.size() >= kJobsMax; }

  /// Not while full().
  void Run(std::unique_ptr<TextJob> job);

 private:
  using Ticket = std::pair<std::uint64_t, TextJob*>;  // the job is jobs_'s

  void Loop(const std::stop_token& stop);
  void Finish(std::uint64_t number);

  HttpServer& server_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, std::unique_ptr<TextJob>> jobs_;
  std::mutex mutex_;
  std::condition_variable_any filled_;
  std::deque<Ticket> waiting_;         // under mutex_
  std::vector<std::jthread> threads_;  // last: they use all of the above
};

}  // namespace baton
