#include "kvcache/key_events.h"

#include <random>
#include <set>

#include "gtest/gtest.h"

namespace baton {
namespace {

TEST(KeyEventsTest, NumbersRunOnFromMessageToMessage) {
  KeyEventLog log;
  log.Stored(7);
  log.Stored(8);
  const KeyEvents first = log.Take();
  EXPECT_EQ(first.first_number, 0U);
  EXPECT_EQ(first.next_number(), 2U);
  log.Removed(7);
  const KeyEvents second = log.Take();
  EXPECT_EQ(second.first_number, 2U);
  EXPECT_EQ(second.removed, std::vector<std::uint64_t>{7});
}

TEST(KeyEventsTest, WhatCameAndWentIsNotTold) {
  KeyEventLog log;
  log.Stored(7);
  EXPECT_FALSE(log.empty());
  log.Removed(7);
  EXPECT_TRUE(log.empty());
  EXPECT_TRUE(log.Take().empty());
}

TEST(KeyEventsTest, AListenerAlwaysHasTheSet) {
  std::mt19937_64 draw(3);
  KeyEventLog log;
  std::set<std::uint64_t> truth;
  std::set<std::uint64_t> heard;
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t key = draw() % 16;
    if (truth.insert(key).second) {
      log.Stored(key);
    } else {
      truth.erase(key);
      log.Removed(key);
    }
    if (draw() % 5 != 0) continue;
    const KeyEvents events = log.Take();
    for (const std::uint64_t gone : events.removed) EXPECT_EQ(heard.erase(gone), 1U);
    for (const std::uint64_t come : events.stored) EXPECT_TRUE(heard.insert(come).second);
    EXPECT_EQ(heard, truth);
  }
}

}  // namespace
}  // namespace baton
