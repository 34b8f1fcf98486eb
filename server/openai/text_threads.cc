#include "server/openai/text_threads.h"

#include <chrono>
#include <utility>

#include "base/check.h"

namespace baton {
namespace {

constexpr auto kWaitMax = std::chrono::hours(1);  // a wait always has a deadline; the caller loops

}  // namespace

TextThreads::TextThreads(int threads) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Loop(stop); });
  }
}

TextThreads::~TextThreads() = default;

bool TextThreads::full() const {
  std::lock_guard lock(mutex_);
  return jobs_.size() >= kJobsMax;
}

bool TextThreads::TryRun(std::unique_ptr<TextJob>& job, Deliver deliver) {
  {
    std::lock_guard lock(mutex_);
    if (jobs_.size() >= kJobsMax) return false;
    const std::uint64_t number = ++last_number_;
    jobs_.emplace(number, Entry{std::move(job), std::move(deliver)});
    waiting_.push_back(number);
  }
  filled_.notify_one();
  return true;
}

void TextThreads::Loop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!filled_.wait_for(lock, stop, kWaitMax, [this] { return !waiting_.empty(); })) continue;
    const std::uint64_t number = waiting_.front();
    waiting_.pop_front();
    Entry& entry = jobs_.at(number);  // stays where it is until Finish, which comes after delivery
    lock.unlock();
    entry.job->Work();
    const Deliver deliver = std::move(entry.deliver);  // the entry may be gone once it is called
    deliver(number);
    lock.lock();
  }
}

void TextThreads::Finish(std::uint64_t number) {
  std::unique_ptr<TextJob> job;
  {
    std::lock_guard lock(mutex_);
    const auto found = jobs_.find(number);
    BATON_CHECK(found != jobs_.end());
    job = std::move(found->second.job);
    jobs_.erase(found);
  }
  job->Done();
}

}  // namespace baton
