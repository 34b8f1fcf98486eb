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
  EXPECT_EQ(index.Depth(kA, std::vector<std::uint64_t>{1}, Instant{}), 0);
}

TEST(FleetIndexTest, AGapIsAnsweredByASnapshotAlone) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  const std::vector<std::uint64_t> keys = {1, 2, 3, 4};
  EXPECT_EQ(index.Apply(kA, Events(0, {1, 2})), EventsVerdict::kApplied);
  EXPECT_EQ(index.Apply(kA, Events(3, {4})), EventsVerdict::kGap);
  // What is there serves on; what would fit again is not believed.
  EXPECT_EQ(index.Apply(kA, Events(2, {3})), EventsVerdict::kGap);
  EXPECT_EQ(index.Depth(kA, keys, Instant{}), 2);
  EXPECT_EQ(index.Apply(kA, Snapshot(9, {1})), EventsVerdict::kApplied);
  EXPECT_EQ(index.Depth(kA, keys, Instant{}), 1);
  EXPECT_EQ(index.Apply(kA, Events(9, {2})), EventsVerdict::kApplied);
  EXPECT_EQ(index.Depth(kA, keys, Instant{}), 2);
}

TEST(FleetIndexTest, EventsSeenBeforeAreDropped) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  EXPECT_EQ(index.Apply(kA, Events(0, {1})), EventsVerdict::kApplied);
  EXPECT_EQ(index.Apply(kA, Events(1, {}, {1})), EventsVerdict::kApplied);
  EXPECT_EQ(index.Apply(kA, Events(0, {1})), EventsVerdict::kSeen);  // a replay raises no page
  EXPECT_EQ(index.Depth(kA, std::vector<std::uint64_t>{1}, Instant{}), 0);
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
  EXPECT_EQ(index.Depth(kA, std::vector<std::uint64_t>{1}, Instant{}), 0);
  EXPECT_EQ(index.Depth(kB, std::vector<std::uint64_t>{1}, Instant{}), 1);
}

TEST(FleetIndexTest, TheBoundIsHeld) {
  FleetIndex index(100 * FleetIndex::kPageBytesMax);
  index.AddWorker(kA);
  index.AddWorker(kB);
  std::vector<std::uint64_t> keys;
  for (std::uint64_t key = 0; key < 80; ++key) keys.push_back(key);
  index.Apply(kA, Events(0, keys));
  index.Apply(kB, Events(0, keys));
  EXPECT_EQ(index.pages(), 100U);
  EXPECT_EQ(index.pages_refused(), 60U);
  EXPECT_LE(index.bytes(), 100 * FleetIndex::kPageBytesMax);
  index.Apply(kA, Snapshot(80, {}));
  EXPECT_EQ(index.pages(), 20U);
}

TEST(FleetIndexTest, AnExpectedPageCountsUntilItsTime) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  const std::vector<std::uint64_t> keys = {1, 2};
  const Instant until = Instant{} + Milliseconds(10);
  index.Expect(kA, keys, until);
  EXPECT_EQ(index.Depth(kA, keys, until - Duration(1)), 2);
  EXPECT_EQ(index.Depth(kA, keys, until), 0);
  EXPECT_TRUE(index.expecting());
  index.ForgetExpired(until);
  EXPECT_FALSE(index.expecting());
}

TEST(FleetIndexTest, AnExpectedPageThatWasStoredOutlivesItsTime) {
  FleetIndex index(kRoomy);
  index.AddWorker(kA);
  const std::vector<std::uint64_t> keys = {1, 2};
  index.Expect(kA, keys, Instant{} + Milliseconds(10));
  index.Apply(kA, Events(0, {1}));
  index.Unexpect(kA, keys);
  EXPECT_EQ(index.Depth(kA, keys, Instant{}), 1);
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
      EXPECT_EQ(index.Depth(kA, chain, Instant{}), walked);
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
    ASSERT_EQ(index.Depth(kA, probe, Instant{}), naive.contains(probe[0]) ? 1 : 0);
  }
}

}  // namespace
}  // namespace baton
