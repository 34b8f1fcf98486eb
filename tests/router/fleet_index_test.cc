#include "router/fleet_index.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace baton {
namespace {

constexpr LinkId kA{1};
constexpr LinkId kB{2};
constexpr std::uint64_t kRoomy = 1 << 20;

link::CacheEvents Events(std::uint64_t first, const std::vector<std::uint64_t>& stored,
                         const std::vector<std::uint64_t>& removed = {}) {
  link::CacheEvents events;
  events.set_first_number(first);
  for (const std::uint64_t key : stored) events.add_stored(key);
  for (const std::uint64_t key : removed) events.add_removed(key);
  events.set_next_number(first + stored.size() + removed.size());
  return events;
}

link::CacheEvents Snapshot(std::uint64_t next, const std::vector<std::uint64_t>& stored) {
  link::CacheEvents events = Events(next, stored);
  events.set_snapshot(true);
  events.set_next_number(next);
  return events;
}

TEST(FleetIndexTest, AnUnknownWorkerHoldsNothing) {
  FleetIndex index(kRoomy);
  EXPECT_EQ(index.Apply(kA, Events(0, {1})), EventsVerdict::kSeen);
  EXPECT_EQ(index.Depth(kA, std::vector<std::uint64_t>{1}), 0);
}

TEST(FleetIndexTest, AGapIsAnsweredByASnapshotAlone) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  const std::vector<std::uint64_t> keys = {1, 2, 3, 4};
  EXPECT_EQ(index.Apply(kA, Events(0, {1, 2})), EventsVerdict::kApplied);
  EXPECT_EQ(index.Apply(kA, Events(3, {4})), EventsVerdict::kGap);
  // What is there serves on; what would fit again is not believed.
  EXPECT_EQ(index.Apply(kA, Events(2, {3})), EventsVerdict::kGap);
  EXPECT_EQ(index.Depth(kA, keys), 2);
  EXPECT_EQ(index.Apply(kA, Snapshot(9, {1})), EventsVerdict::kApplied);
  EXPECT_EQ(index.Depth(kA, keys), 1);
  EXPECT_EQ(index.Apply(kA, Events(9, {2})), EventsVerdict::kApplied);
  EXPECT_EQ(index.Depth(kA, keys), 2);
}

TEST(FleetIndexTest, EventsSeenBeforeAreDropped) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  EXPECT_EQ(index.Apply(kA, Events(0, {1})), EventsVerdict::kApplied);
  EXPECT_EQ(index.Apply(kA, Events(1, {}, {1})), EventsVerdict::kApplied);
  EXPECT_EQ(index.Apply(kA, Events(0, {1})), EventsVerdict::kSeen);  // a replay raises no page
  EXPECT_EQ(index.Depth(kA, std::vector<std::uint64_t>{1}), 0);
  EXPECT_EQ(index.pages(), 0U);
}

TEST(FleetIndexTest, ALostWorkersPagesAreForgotten) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  index.AddWorker(kB);
  index.Apply(kA, Events(0, {1, 2}));
  index.Apply(kB, Events(0, {1}));
  index.RemoveWorker(kA);
  EXPECT_EQ(index.pages(), 1U);
  EXPECT_EQ(index.Depth(kA, std::vector<std::uint64_t>{1}), 0);
  EXPECT_EQ(index.Depth(kB, std::vector<std::uint64_t>{1}), 1);
}

TEST(FleetIndexTest, AtTheBoundItKeepsEverySoManiethPage) {
  constexpr std::uint64_t kBytes = 64 << 10;
  FleetIndex index(kBytes);
  index.AddWorker(kA);
  index.AddWorker(kB);
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> keys;
  std::uint64_t number = 0;
  for (int i = 0; i < 20'000; ++i) {
    keys.push_back(random());
    index.Apply(kA, Events(number, {keys.back()}));
    index.Apply(kB, Events(number, {keys.back()}));
    ++number;
    ASSERT_LE(index.bytes(), kBytes);
  }
  EXPECT_GT(index.stride(), 1U);
  EXPECT_GT(index.pages(), 1000U);
  EXPECT_EQ(index.pages_refused(), 0U);
  // What it forecasts is at most the truth, and short of it by about a stride.
  const std::span<const std::uint64_t> last(keys.data() + 10'000, 10'000);
  EXPECT_LE(index.Depth(kA, last), 10'000);
  EXPECT_GT(index.Depth(kA, last), 10'000 - 20 * static_cast<int>(index.stride()));
  EXPECT_EQ(index.Depth(kA, last), index.Depth(kB, last));
}

TEST(FleetIndexTest, BeyondTheLastStridePagesAreRefusedAndCounted) {
  FleetIndex index(2 << 10);
  index.AddWorker(kA);
  std::mt19937_64 random(1);
  for (std::uint64_t i = 0; i < 500'000; ++i) index.Apply(kA, Events(i, {random()}));
  EXPECT_EQ(index.stride(), FleetIndex::kStrideMax);
  EXPECT_GT(index.pages_refused(), 0U);
  EXPECT_LE(index.bytes(), 2U << 10);
}

TEST(FleetIndexTest, APageOfOneWorkerTakesAtMost28Bytes) {
  FleetIndex index(1ULL << 30);
  index.AddWorker(kA);
  std::mt19937_64 random(1);
  for (std::uint64_t i = 0; i < 300'000; ++i) {
    index.Apply(kA, Events(i, {random()}));
    if (i > 1000) {
      ASSERT_LE(static_cast<double>(index.bytes()), 28.0 * static_cast<double>(index.pages()));
    }
  }
}

TEST(FleetIndexTest, AnExpectedPageCountsUntilItsTime) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  const std::vector<std::uint64_t> keys = {1, 2};
  const Instant until = Instant{} + Milliseconds(10);
  index.Expect(kA, keys, until);
  index.ForgetExpired(until - Duration(1));
  EXPECT_EQ(index.Depth(kA, keys), 2);
  EXPECT_EQ(index.pages(), 0U);  // stated ones count
  EXPECT_TRUE(index.expecting());
  index.ForgetExpired(until);
  EXPECT_EQ(index.Depth(kA, keys), 0);
  EXPECT_FALSE(index.expecting());
}

TEST(FleetIndexTest, APageThatTwoRequestsExpectOutlivesTheEndOfOne) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  const std::vector<std::uint64_t> one = {1, 2, 3};
  const std::vector<std::uint64_t> other = {1, 2, 4};
  index.Expect(kA, one, Instant{} + Milliseconds(10));
  index.Expect(kA, other, Instant{} + Milliseconds(10));
  index.Unexpect(kA, one);
  EXPECT_EQ(index.Depth(kA, one), 2);
  EXPECT_EQ(index.Depth(kA, other), 3);
  index.Unexpect(kA, other);
  EXPECT_EQ(index.Depth(kA, other), 0);
}

TEST(FleetIndexTest, ARemovedPageThatIsExpectedIsStillExpected) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  index.Apply(kA, Events(0, {1}));
  index.Apply(kA, Events(1, {}, {1}));
  EXPECT_EQ(index.Depth(kA, std::vector<std::uint64_t>{1}), 0);
  index.Expect(kA, std::vector<std::uint64_t>{1}, kNever);
  index.Apply(kA, Events(2, {}, {1}));
  EXPECT_EQ(index.Depth(kA, std::vector<std::uint64_t>{1}), 1);
  EXPECT_EQ(index.pages(), 0U);
}

TEST(FleetIndexTest, AReplayedMessageDoesNotRaiseARemovedPage) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  index.Apply(kA, Events(0, {1}));
  index.Apply(kA, Events(1, {}, {1}));
  EXPECT_EQ(index.Apply(kA, Events(0, {1})), EventsVerdict::kSeen);
  EXPECT_EQ(index.Depth(kA, std::vector<std::uint64_t>{1}), 0);
}

TEST(FleetIndexTest, ASlotIsUsedAgainOnceItsPagesAreSwept) {
  FleetIndex index(kRoomy);
  const std::vector<std::uint64_t> keys = {1, 2, 3};
  for (std::uint32_t life = 0; life < 2 * HolderSets::kSlotsMax; ++life) {
    ASSERT_TRUE(index.AddWorker(LinkId{life}));
    ASSERT_EQ(index.Depth(LinkId{life}, keys), 0);  // nothing of whoever had the slot before
    index.Apply(LinkId{life}, Events(0, keys));
    ASSERT_EQ(index.Depth(LinkId{life}, keys), 3);
    index.RemoveWorker(LinkId{life});
    if (life % 7 == 0) index.Sweep();
  }
  while (index.sweeping()) index.Sweep();
  EXPECT_EQ(index.pages(), 0U);
}

TEST(FleetIndexTest, AnExpectedPageThatWasStoredOutlivesItsTime) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  const std::vector<std::uint64_t> keys = {1, 2};
  index.Expect(kA, keys, Instant{} + Milliseconds(10));
  index.Apply(kA, Events(0, {1}));
  index.Unexpect(kA, keys);
  EXPECT_EQ(index.Depth(kA, keys), 1);
}

TEST(FleetIndexTest, DepthAgreesWithAPlainWalkOverPrefixClosedSets) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    FleetIndex index(kRoomy);
    index.AddWorker(kA);
    // Chains that share prefixes: chain c is keys 1000 c + i, but its first `shared` are chain 0's.
    std::set<std::uint64_t> naive;
    std::vector<std::vector<std::uint64_t>> chains;
    for (std::uint64_t c = 0; c < 4; ++c) {
      std::vector<std::uint64_t> chain;
      const std::uint64_t shared = random() % 20;
      const std::uint64_t length = shared + random() % 50;
      for (std::uint64_t i = 0; i < length; ++i) chain.push_back(i < shared ? i : 1000 * c + i);
      chains.push_back(chain);
      const std::size_t held = chain.empty() ? 0 : random() % (chain.size() + 1);
      naive.insert(chain.begin(), chain.begin() + static_cast<std::ptrdiff_t>(held));
    }
    index.Apply(kA, Events(0, {naive.begin(), naive.end()}));
    for (const auto& chain : chains) {
      int walked = 0;
      while (walked < static_cast<int>(chain.size()) &&
             naive.contains(chain[static_cast<std::size_t>(walked)])) {
        ++walked;
      }
      EXPECT_EQ(index.Depth(kA, chain), walked);
    }
  }
}

TEST(FleetIndexTest, AgreesWithANaiveMapUnderRandomEvents) {
  std::mt19937_64 random(11);
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  std::set<std::uint64_t> naive;
  std::uint64_t number = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::uint64_t key = random() % 64;
    link::CacheEvents events;
    if (random() % 50 == 0) {
      naive = {key, key + 1};
      events = Snapshot(number, {key, key + 1});
    } else if (random() % 2 == 0) {
      naive.insert(key);
      events = Events(number++, {key});
    } else {
      naive.erase(key);
      events = Events(number++, {}, {key});
    }
    ASSERT_EQ(index.Apply(kA, events), EventsVerdict::kApplied);
    ASSERT_EQ(index.pages(), naive.size());
    const std::vector<std::uint64_t> probe = {random() % 64};
    ASSERT_EQ(index.Depth(kA, probe), naive.contains(probe[0]) ? 1 : 0);
  }
}

}  // namespace
}  // namespace baton
