#include "base/bounded_queue.h"

#include <thread>

#include "gtest/gtest.h"

namespace baton {
namespace {

TEST(BoundedQueueTest, RefusesAnItemBeyondItsBoundAndLeavesItWhole) {
  BoundedQueue<std::string> queue(1);
  EXPECT_TRUE(queue.TryPush("a"));
  std::string second = "b";
  EXPECT_FALSE(queue.TryPush(std::move(second)));
  EXPECT_EQ(second, "b");
}

TEST(BoundedQueueTest, AWaitEndsAtItsDeadline) {
  BoundedQueue<int> queue(4);
  const Instant start = std::chrono::steady_clock::now();
  queue.WaitUntil(start + Milliseconds(20));
  EXPECT_GE(std::chrono::steady_clock::now() - start, Milliseconds(20));
}

TEST(BoundedQueueTest, APushFromAnotherThreadEndsTheWait) {
  BoundedQueue<int> queue(4);
  std::jthread producer([&] { queue.TryPush(7); });
  queue.WaitUntil(kNever);
  std::vector<int> out;
  queue.DrainTo(out);
  EXPECT_EQ(out, std::vector<int>{7});
}

TEST(BoundedQueueTest, ARingBeforeTheWaitIsNotLost) {
  BoundedQueue<int> queue(4);
  queue.Ring();
  queue.WaitUntil(kNever);
}

}  // namespace
}  // namespace baton
