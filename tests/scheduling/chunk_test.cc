#include "scheduling/chunk.h"

#include "gtest/gtest.h"

namespace baton {
namespace {

TEST(ChunkTest, EndsAtAPageBorderUnlessItIsTheLast) {
  EXPECT_EQ(ChunkTokens(0, 1000, 512, 64), 512);
  EXPECT_EQ(ChunkTokens(0, 1000, 100, 64), 64);
  EXPECT_EQ(ChunkTokens(64, 1000, 100, 64), 64);
  EXPECT_EQ(ChunkTokens(512, 488, 512, 64), 488);
}

TEST(ChunkTest, IsEmptyWhereNoBorderIsInReach) {
  EXPECT_EQ(ChunkTokens(0, 65, 63, 64), 0);
  EXPECT_EQ(ChunkTokens(128, 65, 0, 64), 0);
}

TEST(ChunkTest, FromInsideAPageReachesItsBorder) {
  EXPECT_EQ(ChunkTokens(70, 1000, 64, 64), 58);
  EXPECT_EQ(ChunkTokens(70, 60, 64, 64), 60);
}

// Chunk -1, 0, +1 and ten chunks and one: every token once, borders on pages.
TEST(ChunkTest, ChunksOfAnyLengthCoverThePromptOnce) {
  for (int budget : {64, 128, 512}) {
    for (int length : {1, budget - 1, budget, budget + 1, 10 * budget + 1}) {
      int position = 0;
      while (position < length) {
        const int tokens = ChunkTokens(position, length - position, budget, 64);
        ASSERT_GT(tokens, 0);
        ASSERT_LE(tokens, budget);
        position += tokens;
        ASSERT_TRUE(position == length || position % 64 == 0);
      }
      EXPECT_EQ(position, length);
    }
  }
}

}  // namespace
}  // namespace baton
