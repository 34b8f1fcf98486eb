#include "server/redial.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

constexpr Instant kNow{std::chrono::hours(1)};

TEST(RedialTest, TheFirstDialIsAtOnceAndWaitsDoubleUpToTheBound) {
  std::mt19937_64 random(1);
  Redial redial(kNow);
  EXPECT_EQ(redial.next(), kNow);
  Duration most = kLinkRedialMin;
  for (int i = 0; i < 12; ++i) {
    redial.OnEnded(kNow, Duration(0), random);
    const Duration wait = redial.next() - kNow;
    EXPECT_LE(wait, most);
    EXPECT_GE(wait, most / 2);
    most = std::min<Duration>(most * 2, kLinkRedialMax);
  }
  EXPECT_EQ(most, kLinkRedialMax);
}

TEST(RedialTest, OnlyALinkThatLivedAWhileBeginsAnew) {
  std::mt19937_64 random(1);
  Redial redial(kNow);
  for (int i = 0; i < 12; ++i) redial.OnEnded(kNow, Milliseconds(50), random);  // refused each time
  EXPECT_GT(redial.next() - kNow, std::chrono::seconds(2));
  redial.OnEnded(kNow, std::chrono::seconds(60), random);
  EXPECT_LE(redial.next() - kNow, kLinkRedialMin);
}

}  // namespace
}  // namespace baton
