#include "base/digest.h"

#include "gtest/gtest.h"

namespace baton {
namespace {

// Source of the vector: FIPS 180-2, appendix B.1 ("abc").
TEST(DigestTest, MatchesTheStandardsVector) {
  Sha256 hash;
  const std::string text = "abc";
  hash.AddBytes(std::as_bytes(std::span(text)));
  EXPECT_EQ(ToHex(hash.Finish()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DigestTest, StringsAreFramedSoThatListsDoNotCollide) {
  Sha256 first;
  first.AddString("ab");
  first.AddString("c");
  Sha256 second;
  second.AddString("a");
  second.AddString("bc");
  EXPECT_NE(first.Finish(), second.Finish());
}

}  // namespace
}  // namespace baton
