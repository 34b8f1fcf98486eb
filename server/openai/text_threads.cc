#include "server/openai/text_threads.h"

#include <chrono>

#include "base/check.h"

namespace baton {
namespace {

constexpr auto kWaitMax = std::chrono::hours(1);  // a wait always has a deadline; the caller loops

}  // namespace

TextThreads::TextThreads(HttpServer& server, int threads) : server_(server) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Loop(stop); });
  }
}

TextThreads::~TextThreads() = default;

void TextThreads::Run(std::unique_ptr<TextJob> job) {
  BATON_CHECK(!full());
  const std::uint64_t number = ++last_number_;
  TextJob* const place = job.get();
  jobs_.emplace(number, std::move(job));
  {
    std::lock_guard lock(mutex_);
    waiting_.emplace_back(number, place);
  }
  filled_.notify_one();
}

void TextThreads::Loop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!filled_.wait_for(lock, stop, kWaitMax, [this] { return !waiting_.empty(); })) continue;
    const auto [number, job] = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    job->Work();
    server_.Post([this, number = number] { Finish(number); });
    lock.lock();
  }
}

void TextThreads::Finish(std::uint64_t number) {
  const auto found = jobs_.find(number);
  const std::unique_ptr<TextJob> job = std::move(found->second);
  jobs_.erase(found);
  job->Done();
}

}  // namespace baton
