#include "kernels/stream.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace baton {
namespace {

TEST(StreamTest, EveryItemRunsExactlyOnce) {
  for (int threads : {1, 2, 3, 7}) {
    Stream stream(threads);
    for (int count : {0, 1, 2, 3, 100, 1000}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
      stream.ForEach(count, [&](int worker, int item) {
        EXPECT_GE(worker, 0);
        EXPECT_LT(worker, threads);
        ++runs[static_cast<std::size_t>(item)];
      });
      for (const std::atomic<int>& run : runs) EXPECT_EQ(run.load(), 1);
    }
  }
}

TEST(StreamTest, PartsCoverTheRangeOnceAndInOrder) {
  for (int threads : {1, 2, 5}) {
    Stream stream(threads);
    for (int count : {0, 1, 3, 19, 64}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
      stream.ParallelFor(count, [&](int first, int last) {
        EXPECT_LT(first, last);
        for (int i = first; i < last; ++i) ++runs[static_cast<std::size_t>(i)];
      });
      for (const std::atomic<int>& run : runs) EXPECT_EQ(run.load(), 1);
    }
  }
}

TEST(StreamTest, ManyShortRegionsLoseNothing) {
  Stream stream(4);
  std::int64_t total = 0;
  std::vector<std::int64_t> sums(4 * 16);  // a cache line a worker
  for (int region = 0; region < 5000; ++region) {
    stream.ForEach(8, [&](int worker, int item) {
      sums[static_cast<std::size_t>(worker) * 16] += item + region;
    });
    total += 28 + 8 * region;
  }
  std::int64_t seen = 0;
  for (std::int64_t sum : sums) seen += sum;
  EXPECT_EQ(seen, total);
}

TEST(StreamTest, OneThreadRunsOnTheCallersThread) {
  Stream stream(1);
  const std::thread::id mine = std::this_thread::get_id();
  stream.ForEach(3, [&](int, int) { EXPECT_EQ(std::this_thread::get_id(), mine); });
}

TEST(StreamTest, ScratchIsAlignedAndStaysWhereItIsOnceLargeEnough) {
  Stream stream(2);
  std::byte* large = stream.Scratch(1, 1000);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large) % 64, 0U);
  EXPECT_EQ(stream.Scratch(1, 10), large);
  EXPECT_EQ(stream.Scratch(1, 1000), large);
  EXPECT_NE(stream.Scratch(stream.SharedSlot(0), 1000), large);
}

}  // namespace
}  // namespace baton
