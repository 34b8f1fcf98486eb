#include "config/suggest.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(SuggestTest, DistanceCountsInsertsErasesReplacementsAndSwaps) {
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("abc", "abc"), 0);
  EXPECT_EQ(EditDistance("abc", "acb"), 1);
  EXPECT_EQ(EditDistance("abc", "abx"), 1);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
  EXPECT_EQ(EditDistance(std::string(1000, 'a'), std::string(1000, 'b')), 64);
}

TEST(SuggestTest, NearestIgnoresCaseAndDashesAndGivesUpOnTheFarAway) {
  const std::vector<std::string> names = {"chunk_size", "local_cpu", "local_disk"};
  EXPECT_EQ(Nearest("Chunk-Sise", names), "chunk_size");
  EXPECT_EQ(Nearest("local_dsik", names), "local_disk");
  EXPECT_EQ(Nearest("something_else", names), "");
}

}  // namespace
}  // namespace baton
