#include "kvcache/page_pool.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "gtest/gtest.h"
#include "kvcache/block_table.h"
#include "kvcache/page_ledger.h"

namespace baton {
namespace {

constexpr int kPageTokens = 4;

std::vector<TokenId> Count(int n, TokenId first = 0) {
  std::vector<TokenId> tokens(static_cast<std::size_t>(n));
  std::iota(tokens.begin(), tokens.end(), first);
  return tokens;
}

// A pool with its index, and sequences over it.
struct World {
  explicit World(std::uint32_t pages, PagePool::Options options = {})
      : index(pages), pool(pages, index, options) {}

  // Runs `tokens` as a worker would: prefix hit, fresh pages, all of them computed.
  absl::StatusOr<BlockTable> Run(const std::vector<TokenId>& tokens) {
    BlockTable table(PageKey{1, 1}, kPageTokens);
    PageLease cached = table.Match(tokens, static_cast<int>(tokens.size()), index, pool);
    const auto pages = static_cast<std::uint32_t>((tokens.size() + kPageTokens - 1) / kPageTokens);
    absl::StatusOr<PageLease> fresh = pool.Acquire(pages - cached.size());
    if (!fresh.ok()) return fresh.status();
    table.Append(std::move(cached));
    table.Append(*std::move(fresh));
    table.Complete(tokens, static_cast<int>(tokens.size()), index);
    return table;
  }

  std::uint32_t Hit(const std::vector<TokenId>& tokens) {
    BlockTable table(PageKey{1, 1}, kPageTokens);
    return table.Match(tokens, static_cast<int>(tokens.size()), index, pool).size();
  }

  PrefixIndex index;
  PagePool pool;
};

TEST(PagePoolTest, GivesAllOrNothing) {
  World world(3);
  EXPECT_EQ(world.pool.Acquire(4).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(world.pool.num_free(), 3U);
  {
    const absl::StatusOr<PageLease> lease = world.pool.Acquire(3);
    ASSERT_TRUE(lease.ok());
    EXPECT_EQ(world.pool.num_free(), 0U);
    EXPECT_FALSE(world.pool.Acquire(1).ok());
  }
  EXPECT_EQ(world.pool.num_free(), 3U);
}

TEST(PagePoolTest, SharedPageIsFreeOnlyAfterItsLastLease) {
  World world(4);
  std::optional<BlockTable> first = *world.Run(Count(8));
  std::optional<BlockTable> second = *world.Run(Count(8));
  EXPECT_EQ(std::vector(first->pages().begin(), first->pages().end()),
            std::vector(second->pages().begin(), second->pages().end()));
  first.reset();
  EXPECT_EQ(world.pool.num_free(), 2U);
  second.reset();
  EXPECT_EQ(world.pool.num_free(), 4U);
}

TEST(PagePoolTest, AKeyIsGoneBeforeItsPageHasANewOwner) {
  World world(2);
  ASSERT_TRUE(world.Run(Count(8)).ok());
  EXPECT_EQ(world.Hit(Count(8)), 2U);
  const PageLease taken = *world.pool.Acquire(2);
  EXPECT_EQ(world.Hit(Count(8)), 0U);
  EXPECT_EQ(world.index.size(), 0U);
}

TEST(PagePoolTest, EvictsTheTailOfAChainFirst) {
  World world(4);
  ASSERT_TRUE(world.Run(Count(16)).ok());
  const PageLease taken = *world.pool.Acquire(1);
  EXPECT_EQ(world.Hit(Count(16)), 3U);
}

TEST(PagePoolTest, EvictsTheLeastRecentlyReleasedChain) {
  World world(4);
  ASSERT_TRUE(world.Run(Count(8, 0)).ok());
  ASSERT_TRUE(world.Run(Count(8, 100)).ok());
  EXPECT_EQ(world.Hit(Count(8, 0)), 2U);  // a hit is a use
  const PageLease taken = *world.pool.Acquire(2);
  EXPECT_EQ(world.Hit(Count(8, 0)), 2U);
  EXPECT_EQ(world.Hit(Count(8, 100)), 0U);
}

TEST(PagePoolTest, PagesWithoutAKeyGoFirst) {
  World world(4);
  ASSERT_TRUE(world.Run(Count(8)).ok());
  { const PageLease unkeyed = *world.pool.Acquire(2); }
  const PageLease taken = *world.pool.Acquire(2);
  EXPECT_EQ(world.Hit(Count(8)), 2U);
}

TEST(PagePoolTest, KeepsNoMoreFindablePagesThanItMay) {
  World world(8, {.cached_pages_max = 2});
  ASSERT_TRUE(world.Run(Count(16)).ok());
  EXPECT_EQ(world.pool.num_cached(), 2U);
  EXPECT_EQ(world.Hit(Count(16)), 2U);
  EXPECT_EQ(world.pool.num_free(), 8U);
}

TEST(PagePoolTest, TheSecondCopyOfAPrefixStaysUnfindableWithAllThatFollows) {
  World world(8);
  BlockTable one(PageKey{1, 1}, kPageTokens);
  BlockTable two(PageKey{1, 1}, kPageTokens);
  one.Append(*world.pool.Acquire(2));
  two.Append(*world.pool.Acquire(3));
  one.Complete(Count(8), 4, world.index);
  two.Complete(Count(12), 12, world.index);
  EXPECT_EQ(world.index.size(), 1U);
  EXPECT_TRUE(world.index.Holds(one.pages()[0]));
  EXPECT_FALSE(world.index.Holds(two.pages()[1]));
}

TEST(PagePoolTest, TheLedgerSeesAPageThatNobodyNames) {
  World world(4);
  const BlockTable table = *world.Run(Count(8));
  LedgerCount forgotten(world.pool);
  EXPECT_EQ(forgotten.ledger().unaccounted(), 2);
  LedgerCount complete(world.pool);
  complete.AddOwned(table.pages());
  complete.AddOwned(table.pages());
  EXPECT_EQ(complete.ledger().owned, 2U);
  EXPECT_EQ(complete.ledger().unaccounted(), 0);
}

// The pool and its index against maps: random sequences over few tokens, so that prefixes meet.
TEST(PagePoolTest, AgreesWithItsModel) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 draw(seed);
    const std::uint32_t pages = 6 + static_cast<std::uint32_t>(draw() % 20);
    World world(pages);
    std::vector<std::pair<std::vector<TokenId>, BlockTable>> live;
    std::map<PageId, std::vector<TokenId>> contents;  // the prefix that a page's key vouches for
    for (int round = 0; round < 400; ++round) {
      if (draw() % 3 == 0 && !live.empty()) {
        live.erase(live.begin() + static_cast<std::ptrdiff_t>(draw() % live.size()));
      } else {
        std::vector<TokenId> tokens(draw() % 20 + 1);
        for (TokenId& token : tokens) token = static_cast<TokenId>(draw() % 8 == 0);
        const std::uint32_t free = world.pool.num_free();
        absl::StatusOr<BlockTable> table = world.Run(tokens);
        if (!table.ok()) {
          ASSERT_EQ(world.pool.num_free(), free);
          continue;
        }
        for (std::size_t i = 0; i < table->pages().size(); ++i) {
          const std::size_t end = std::min(tokens.size(), (i + 1) * kPageTokens);
          const std::vector<TokenId> prefix(tokens.begin(),
                                            tokens.begin() + static_cast<std::ptrdiff_t>(end));
          // A page that is shared must hold what the newcomer wants of it.
          if (world.pool.lease_count(table->pages()[i]) > 1) {
            ASSERT_EQ(contents.at(table->pages()[i]), prefix);
          }
          contents[table->pages()[i]] = prefix;
        }
        live.emplace_back(std::move(tokens), *std::move(table));
      }
      std::set<PageId> held;
      std::map<PageId, std::uint32_t> leases;
      for (const auto& [tokens, table] : live) {
        for (const PageId page : table.pages()) {
          held.insert(page);
          ++leases[page];
        }
      }
      ASSERT_EQ(world.pool.num_free(), pages - held.size()) << "seed " << seed;
      for (const auto& [page, count] : leases) ASSERT_EQ(world.pool.lease_count(page), count);
      // Prefix-closed: whoever is findable, so is its parent.
      for (const auto& [page, prefix] : contents) {
        if (!world.index.Holds(page) || prefix.size() % kPageTokens != 0) continue;
        ASSERT_EQ(world.Hit(prefix), prefix.size() / kPageTokens) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace baton
