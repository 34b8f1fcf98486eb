#include "router/fleet_match.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace baton {
namespace {

// Workers whose pages are prefix-closed, drawn at random, and what each holds as plain sets.
class DrawnFleet {
 public:
  DrawnFleet(std::uint64_t seed, std::uint32_t workers, std::uint32_t stride)
      : random_(seed), index_(1 << 30, stride), held_(workers) {
    for (std::uint32_t w = 0; w < workers; ++w) index_.AddWorker(LinkId{w}, KindOf(w));
    for (std::uint64_t c = 0; c < 12; ++c) chains_.push_back(DrawChain());
    for (std::uint32_t w = 0; w < workers; ++w) {
      for (const auto& chain : chains_) {
        if (random_() % 3 != 0) Hold(w, chain, random_() % (chain.size() + 1));
      }
    }
  }

  const FleetIndex& index() const { return index_; }
  const std::vector<std::vector<std::uint64_t>>& chains() const { return chains_; }
  std::uint32_t workers() const { return static_cast<std::uint32_t>(held_.size()); }

  /// The last kept page that is held without a hole before it, and one.
  int Naive(std::uint32_t worker, const std::vector<std::uint64_t>& keys) const {
    int depth = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!index_.Keeps(keys[i])) continue;
      if (!held_[worker].contains(keys[i])) break;
      depth = static_cast<int>(i) + 1;
    }
    return depth;
  }

  /// A worker's life ends and another begins, which holds nothing.
  void Restart(std::uint32_t worker) {
    index_.RemoveWorker(LinkId{worker});
    index_.AddWorker(LinkId{worker}, KindOf(worker));
    held_[worker].clear();
    numbers_.erase(worker);
  }

  /// Its pages from `keep` on go, the last first.
  void Shrink(std::uint32_t worker, const std::vector<std::uint64_t>& chain, std::size_t keep) {
    link::CacheEvents events;
    for (std::size_t i = chain.size(); i-- > keep;) {
      if (held_[worker].erase(chain[i]) > 0) events.add_removed(chain[i]);
    }
    Apply(worker, events);
  }

  std::mt19937_64& random() { return random_; }
  void Sweep() { index_.Sweep(); }

 private:
  static SlotKind KindOf(std::uint32_t worker) {
    return {.decode = worker % 2 == 0, .domain = worker / 40};
  }

  // The first pages are a shared prompt's, some more another chain's.
  std::vector<std::uint64_t> DrawChain() {
    std::vector<std::uint64_t> chain = {1, 2, 3, 4, 5};
    if (!chains_.empty()) {
      const auto& other = chains_[random_() % chains_.size()];
      const std::size_t shared = random_() % (other.size() + 1);
      if (shared > 5) chain.assign(other.begin(), other.begin() + static_cast<long>(shared));
    }
    for (std::uint64_t more = 1 + random_() % 120; more > 0; --more) chain.push_back(random_());
    return chain;
  }

  void Hold(std::uint32_t worker, const std::vector<std::uint64_t>& chain, std::size_t pages) {
    link::CacheEvents events;
    for (std::size_t i = 0; i < pages; ++i) {
      if (held_[worker].insert(chain[i]).second) events.add_stored(chain[i]);
    }
    Apply(worker, events);
  }

  void Apply(std::uint32_t worker, link::CacheEvents& events) {
    std::uint64_t& number = numbers_[worker];
    events.set_first_number(number);
    number += static_cast<std::uint64_t>(events.stored_size() + events.removed_size());
    events.set_next_number(number);
    ASSERT_EQ(index_.Apply(LinkId{worker}, events), EventsVerdict::kApplied);
  }

  std::mt19937_64 random_;
  FleetIndex index_;
  std::vector<std::set<std::uint64_t>> held_;
  std::map<std::uint32_t, std::uint64_t> numbers_;
  std::vector<std::vector<std::uint64_t>> chains_;
};

void ExpectExact(DrawnFleet& fleet, const std::vector<std::uint64_t>& keys) {
  FleetMatch match;
  FleetMatch plain;
  const std::span<const float> depths = match.Run(fleet.index(), keys);
  const std::span<const float> walked = plain.RunPlain(fleet.index(), keys);
  float deepest = 0;
  for (std::uint32_t w = 0; w < fleet.workers(); ++w) {
    const Slot slot = *fleet.index().SlotOf(LinkId{w});
    ASSERT_EQ(static_cast<int>(walked[slot]), fleet.Naive(w, keys)) << "worker " << w;
    ASSERT_EQ(depths[slot], walked[slot]) << "worker " << w;
    deepest = std::max(deepest, depths[slot]);
  }
  EXPECT_EQ(match.deepest(), deepest);
}

TEST(FleetMatchTest, APromptWithoutPagesIsHeldByNobody) {
  DrawnFleet fleet(1, 3, 1);
  ExpectExact(fleet, {});
  ExpectExact(fleet, {99});
}

TEST(FleetMatchTest, DepthsAreExactOnDrawnFleetsThatChange) {
  for (const std::uint32_t workers : {1U, 4U, 30U, 65U, 200U}) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      DrawnFleet fleet(seed, workers, 1);
      for (int change = 0; change < 8; ++change) {
        for (const auto& chain : fleet.chains()) ExpectExact(fleet, chain);
        const auto worker = static_cast<std::uint32_t>(fleet.random()() % workers);
        if (fleet.random()() % 2 == 0) fleet.Restart(worker);
        if (fleet.random()() % 2 == 0) fleet.Sweep();
        // Only the leaf of the longest chain may go: others hang on what is before.
        const auto& chain = fleet.chains().back();
        fleet.Shrink(worker, chain, chain.empty() ? 0 : chain.size() - 1);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(FleetMatchTest, WithAStrideTheLastKeptPageVouchesForAllBefore) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    DrawnFleet fleet(seed, 70, 4);
    for (const auto& chain : fleet.chains()) ExpectExact(fleet, chain);
  }
}

TEST(FleetMatchTest, TheLoopsOfEveryMachineAgree) {
  const FleetLoops plain = PlainFleetLoops();
  const FleetLoops best = BestFleetLoops();
  std::mt19937_64 random(2);
  for (int round = 0; round < 50; ++round) {
    const std::vector<std::uint64_t> bits = {random(), random() & random(), 0, ~0ULL};
    std::vector<float> one(256, 7);
    std::vector<float> other(256, 7);
    plain.fill(bits, 3, one);
    best.fill(bits, 3, other);
    ASSERT_EQ(one, other);
    for (std::size_t i = 0; i < one.size(); ++i) {
      ASSERT_EQ(one[i], ((bits[i / 64] >> (i % 64)) & 1) != 0 ? 3 : 7);
    }
  }
}

}  // namespace
}  // namespace baton
