// Tries every order of everything that may happen in the smallest world, over the machines and the
// lease table that ship.
#include "tests/sim/small_world.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <deque>
#include <memory>
#include <unordered_set>

#include "base/digest.h"
#include "tests/sim/hash_model.h"

namespace baton {
namespace {

constexpr std::size_t kStatesMax = 20'000'000;  // a search that finds no end has lost its bounds

class Search {
 public:
  explicit Search(const SmallOptions& options)
      : arena_(*KvArena::Create(HashLayout(8, false), kSmallPages)) {
    Enter(SmallWorld(*arena_, options));
  }

  /// Walks depth first. Stops at the first violation and tells how it came about; "" when none is.
  std::string Run() {
    while (!path_.empty() && seen_.size() < kStatesMax) {
      Place& place = path_.back();
      if (place.next == place.moves.size()) {
        path_.pop_back();
        continue;
      }
      const SmallMove move = place.moves[place.next++];
      SmallWorld world = place.world;
      world.Do(move);
      ++moves_;
      if (!world.violation().empty()) return Story(world.violation(), move);
      if (!Enter(std::move(world))) continue;
      if (!path_.back().moves.empty()) continue;
      ++ends_;
      const std::string unrest = path_.back().world.Unrest();
      if (!unrest.empty()) return Story(unrest, move);
    }
    return seen_.size() < kStatesMax ? "" : "there is no end to it";
  }

  std::size_t states() const { return seen_.size(); }
  std::size_t moves() const { return moves_; }
  std::size_t ends() const { return ends_; }

 private:
  struct Place {
    SmallWorld world;
    std::vector<SmallMove> moves;
    std::size_t next = 0;
  };

  /// False when the search has been here.
  bool Enter(SmallWorld world) {
    if (!seen_.insert(HashOf(world.Fingerprint())).second) return false;
    std::vector<SmallMove> moves = world.Moves();
    path_.push_back({std::move(world), std::move(moves), 0});
    return true;
  }

  /// 64 bits: of ten million states, two are taken for one with a chance of 1 in 370,000.
  static std::uint64_t HashOf(const std::string& bytes) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      bytes.copy(reinterpret_cast<char*>(&word), sizeof(word), i);
      hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
      hash ^= hash >> 29;
    }
    return hash;
  }

  std::string Story(const std::string& what, const SmallMove& last) const {
    std::string story = what + ", after:";
    for (const Place& place : path_) {
      if (place.next > 0) story += "\n  " + NameOf(place.moves[place.next - 1]);
    }
    return story + "\n  (" + NameOf(last) + ")";
  }

  std::unique_ptr<KvArena> arena_;
  std::unordered_set<std::uint64_t> seen_;  // asked, never walked
  std::deque<Place> path_;                  // a place stays where it is while others follow
  std::size_t moves_ = 0;
  std::size_t ends_ = 0;
};

void ExpectHolds(const char* name, const SmallOptions& options) {
  Search search(options);
  EXPECT_EQ(search.Run(), "") << name;
  std::printf("%s: %zu states, %zu moves, %zu ends\n", name, search.states(), search.moves(),
              search.ends());
  EXPECT_GT(search.ends(), 0U);
}

// Two prompts of a page each, so that either page may go from one to the other.
SmallOptions OnePageEach() {
  SmallOptions options;
  options.prompt_pages = {1, 1};
  options.damages = 0;
  return options;
}

TEST(SmallWorldTest, NoRestartBreaksAPromise) {
  SmallOptions options = OnePageEach();
  options.cuts = 0;
  ExpectHolds("two leases, two pages, a restart", options);
}

TEST(SmallWorldTest, NoCutBreaksAPromise) {
  SmallOptions options = OnePageEach();
  options.restarts = 0;
  ExpectHolds("two leases, two pages, a cut", options);
}

TEST(SmallWorldTest, NoDamageBreaksAPromise) {
  SmallOptions options = OnePageEach();
  options.restarts = 0;
  options.cuts = 0;
  options.damages = 1;
  ExpectHolds("two leases, two pages, a damaged frame or failed write", options);
}

TEST(SmallWorldTest, NoHitBreaksAPromise) {
  SmallOptions options = OnePageEach();
  options.restarts = 0;
  options.cuts = 0;
  options.prompt_pages = {2, 1};
  for (std::uint32_t held = 0; held <= 2; ++held) {
    options.held_pages = held;
    ExpectHolds("two pages of one prompt and one of the other, some held", options);
  }
}

// The same search with frames that ask nobody where they land must find a page of somebody else.
TEST(SmallWorldTest, PutsThatAskNobodyAreFoundOut) {
  SmallOptions options;
  options.puts = true;
  const std::string story = Search(options).Run();
  EXPECT_NE(story.find("a put lands in a page that is not lent to it"), std::string::npos) << story;
}

}  // namespace
}  // namespace baton
