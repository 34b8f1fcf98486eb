#include "kvcache/page_key.h"

#include <numeric>

#include "gtest/gtest.h"

namespace baton {
namespace {

std::vector<TokenId> Count(int n) {
  std::vector<TokenId> tokens(static_cast<std::size_t>(n));
  std::iota(tokens.begin(), tokens.end(), 0);
  return tokens;
}

TEST(PageKeyTest, FullPagesAloneHaveKeys) {
  const PageKey root = RootKey("model", "");
  EXPECT_EQ(PageKeysOf(root, Count(63), 64).size(), 0U);
  EXPECT_EQ(PageKeysOf(root, Count(64), 64).size(), 1U);
  EXPECT_EQ(PageKeysOf(root, Count(200), 64).size(), 3U);
}

TEST(PageKeyTest, AKeyNamesTheWholePrefix) {
  const PageKey root = RootKey("model", "");
  std::vector<TokenId> other = Count(128);
  other[0] = 99;
  EXPECT_NE(PageKeysOf(root, Count(128), 64)[1], PageKeysOf(root, other, 64)[1]);
  EXPECT_EQ(PageKeysOf(root, Count(128), 64)[0], PageKeysOf(root, Count(64), 64)[0]);
}

TEST(PageKeyTest, NamespaceAndSaltSeparate) {
  EXPECT_NE(RootKey("a", ""), RootKey("b", ""));
  EXPECT_NE(RootKey("a", "x"), RootKey("a", "y"));
  EXPECT_NE(RootKey("ab", ""), RootKey("a", "b"));
}

TEST(PageKeyTest, ThePromptKeyCoversThePartialPage) {
  const PageKey root = RootKey("model", "");
  EXPECT_NE(PromptKeyOf(root, Count(65), 64), PromptKeyOf(root, Count(66), 64));
  EXPECT_EQ(PromptKeyOf(root, Count(64), 64), PageKeysOf(root, Count(64), 64)[0]);
}

}  // namespace
}  // namespace baton
