#include "kernels/stream.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/check.h"

namespace baton {
namespace {

constexpr std::size_t kAlignment = 64;

// A worker looks for new work this often before it sleeps: 30 to 80 us, longer than what lies
// between two regions of a step, so that none of its dozens pays a wake-up (20-40 us by condition
// variable). It lets others run in between: where more threads than processors want to, a thread
// that waits is not in the way of the one that it waits for.
constexpr int kLooksBeforeSleep = 2048;
constexpr int kLooksBeforeYield = 64;
// A sleeping thread looks again by itself, so that a lost wake-up is a delay and never a hang.
constexpr auto kSleepMax = std::chrono::milliseconds(200);

inline void Pause(int look) {
  if (look % kLooksBeforeYield == kLooksBeforeYield - 1) return std::this_thread::yield();
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

// One region at a time: the caller publishes (body, count) under a new generation, everybody takes
// items until none is left, and the caller waits until each helper has said that it left the
// region.
struct Stream::Pool {
  using Body = std::function<void(int, int)>;

  explicit Pool(int helper_count) : helpers_wanted(helper_count) {
    helpers.reserve(static_cast<std::size_t>(helper_count));
    for (int worker = 1; worker <= helper_count; ++worker) {
      helpers.emplace_back([this, worker](const std::stop_token& stop) { Help(stop, worker); });
    }
  }

  ~Pool() {
    for (std::jthread& helper : helpers) helper.request_stop();
    {
      const std::lock_guard lock(mutex);
      generation.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
  }

  void Run(int item_count, const Body& region) {
    {
      const std::lock_guard lock(mutex);
      body = &region;
      count = item_count;
      next.store(0, std::memory_order_relaxed);
      left.store(0, std::memory_order_relaxed);
      // Releases the four lines above to whoever acquires the new generation.
      generation.fetch_add(1, std::memory_order_release);
    }
    wake.notify_all();
    Take(0);
    AwaitHelpers();
  }

  void Take(int worker) {
    // Relaxed: the counter only hands out numbers; data is ordered by `generation` and `left`.
    for (int item = next.fetch_add(1, std::memory_order_relaxed); item < count;
         item = next.fetch_add(1, std::memory_order_relaxed)) {
      (*body)(worker, item);
    }
  }

  bool AllLeft() const { return left.load(std::memory_order_acquire) == helpers_wanted; }

  void AwaitHelpers() {
    for (int look = 0; look < kLooksBeforeSleep; ++look) {
      if (AllLeft()) return;
      Pause(look);
    }
    std::unique_lock lock(mutex);
    while (!done.wait_for(lock, kSleepMax, [this] { return AllLeft(); })) {
    }
  }

  void Help(const std::stop_token& stop, int worker) {
    std::uint64_t seen = 0;
    while (AwaitRegion(stop, &seen)) {
      Take(worker);
      // Releases what this worker wrote to the caller, who acquires `left`.
      if (left.fetch_add(1, std::memory_order_acq_rel) + 1 == helpers_wanted) {
        const std::lock_guard lock(mutex);
        done.notify_one();
      }
    }
  }

  /// False when the pool is to end.
  bool AwaitRegion(const std::stop_token& stop, std::uint64_t* seen) {
    const auto is_new = [&] { return generation.load(std::memory_order_acquire) != *seen; };
    for (int look = 0; look < kLooksBeforeSleep && !is_new(); ++look) Pause(look);
    if (!is_new()) {
      std::unique_lock lock(mutex);
      while (!wake.wait_for(lock, kSleepMax, is_new)) {
      }
    }
    ++*seen;
    return !stop.stop_requested();
  }

  const int helpers_wanted;
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable done;
  std::atomic<std::uint64_t> generation{0};
  const Body* body = nullptr;
  int count = 0;
  std::atomic<int> next{0};
  std::atomic<int> left{0};  // helpers that are through with this region
  std::vector<std::jthread> helpers;
};

Stream::Stream(int threads) : threads_(threads) {
  BATON_CHECK(threads >= 1);
  for (int slot = 0; slot < threads + kSharedSlots; ++slot) {
    scratch_.push_back({{nullptr, std::free}, 0});
  }
  if (threads > 1) pool_ = std::make_unique<Pool>(threads - 1);
}

Stream::~Stream() = default;

void Stream::ForEach(int count, const std::function<void(int, int)>& body) {
  if (pool_ == nullptr || count <= 1) {
    for (int item = 0; item < count; ++item) body(0, item);
    return;
  }
  pool_->Run(count, body);
}

void Stream::ParallelFor(int count, const std::function<void(int, int)>& body) {
  if (count <= 0) return;
  if (pool_ == nullptr) return body(0, count);
  constexpr int kPartsPerThread = 4;  // so that one slow part does not leave the others waiting
  const int parts = std::min(count, threads_ * kPartsPerThread);
  const auto cut = [count, parts](int part) {
    return static_cast<int>(std::int64_t{count} * part / parts);
  };
  ForEach(parts, [&](int, int part) { body(cut(part), cut(part + 1)); });
}

std::byte* Stream::Scratch(int slot, std::size_t bytes) {
  Block& block = scratch_[static_cast<std::size_t>(slot)];
  if (bytes > block.bytes) {
    const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    block.memory.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded)));
    BATON_CHECK(block.memory != nullptr);
    block.bytes = rounded;
  }
  return block.memory.get();
}

}  // namespace baton
