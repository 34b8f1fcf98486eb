// Whole hand-offs between both facades over loopback, in virtual time.
#include <gtest/gtest.h>

#include "tests/kvtransfer/handoff_pair.h"

namespace baton {
namespace {

/// Exactly one end at each side, all source pages settled, nothing open.
void ExpectOver(HandoffPair& pair, std::size_t handoffs) {
  EXPECT_EQ(pair.ended().size(), handoffs);
  EXPECT_EQ(pair.settled().size(), handoffs);
  EXPECT_EQ(pair.committed().size() + pair.failed().size(), handoffs);
  EXPECT_TRUE(pair.outbound->settled());
  EXPECT_TRUE(pair.inbound->settled());
  EXPECT_EQ(pair.inbound->stats().leases_open, 0U);
  EXPECT_EQ(pair.outbound->stats().writes_open, 0U);
}

/// Runs `ask` to its end, computing three pages a step.
void HandOver(HandoffPair& pair, const HandoffAsk& ask) {
  pair.Expect(ask);
  pair.Start(ask);
  pair.Run();
  pair.Grant(ask);
  pair.Run();
  const std::uint32_t pages = HandoffPair::PagesOf(ask);
  for (std::uint32_t at = ask.ready_pages; at < pages; at += 3) {
    pair.Compute(ask, at, std::min(at + 3, pages));
    pair.Run(3);
  }
  pair.Token(ask, 42);
  pair.Run();
}

TEST(HandoffTest, DeliversEveryPageAndTheFirstTokenOnce) {
  HandoffPair pair;
  const HandoffAsk ask{.tokens = 30};
  HandOver(pair, ask);
  ExpectOver(pair, 1);
  ASSERT_EQ(pair.committed().size(), 1U);
  EXPECT_EQ(pair.committed()[0].first_token, 42);
  EXPECT_EQ(pair.committed()[0].id, HandoffPair::IdOf(ask));
  ASSERT_EQ(pair.closed().size(), 1U);
  EXPECT_EQ(pair.closed()[0].how, LeaseEnd::kCommitted);
  for (std::uint32_t i = 0; i < 8; ++i) EXPECT_TRUE(pair.TargetHolds(i)) << i;
  const OutboundEnded ended = pair.ended()[0];
  EXPECT_EQ(ended.reason, HandoffReason::kCommitted);
  EXPECT_EQ(ended.pages_sent, 8U);
  EXPECT_EQ(ended.pages_saved, 0U);
  EXPECT_EQ(ended.bytes, 8 * SmallLayout().PageBytes());
  EXPECT_EQ(ended.wire, "loopback");
  EXPECT_GT(ended.times.offer, Duration{});
  EXPECT_GT(ended.times.exposed, Duration{});
  EXPECT_GE(ended.times.exposed, ended.times.commit);
}

// What the model still computes after its last page was written is no cost of the hand-off.
TEST(HandoffTest, ExposedTimeBeginsWhenThePromptIsComputed) {
  HandoffPair pair;
  const HandoffAsk ask{.tokens = 30};
  HandOver(pair, ask);
  const OutboundEnded ended = pair.ended()[0];
  EXPECT_EQ(ended.times.exposed, ended.times.commit);
}

TEST(HandoffTest, PageMapHoldsForEveryHit) {
  for (std::uint32_t tokens = 1; tokens <= 21; ++tokens) {
    const std::uint32_t full = tokens / 4;  // pages that a prefix cache may hold
    for (std::uint32_t at_prefill = 0; at_prefill <= full; ++at_prefill) {
      for (std::uint32_t at_decode = 0; at_decode <= full; ++at_decode) {
        HandoffPair pair;
        const HandoffAsk ask{.tokens = tokens, .ready_pages = at_prefill, .held_pages = at_decode};
        HandOver(pair, ask);
        ASSERT_EQ(pair.committed().size(), 1U) << tokens << " " << at_prefill << " " << at_decode;
        for (std::uint32_t i = 0; i < at_decode; ++i) ASSERT_TRUE(pair.TargetUntouched(i));
        for (std::uint32_t i = at_decode; i < HandoffPair::PagesOf(ask); ++i) {
          ASSERT_TRUE(pair.TargetHolds(i)) << tokens << " " << at_prefill << " " << at_decode;
        }
        EXPECT_EQ(pair.ended()[0].pages_saved, at_decode);
        ExpectOver(pair, 1);
      }
    }
  }
}

TEST(HandoffTest, APromptThatDecodeHoldsWholeIsAHandoffOfNoPages) {
  HandoffPair pair;
  const HandoffAsk ask{.tokens = 8, .ready_pages = 1, .held_pages = 2};
  HandOver(pair, ask);
  ExpectOver(pair, 1);
  ASSERT_EQ(pair.committed().size(), 1U);
  EXPECT_EQ(pair.ended()[0].pages_sent, 0U);
  EXPECT_EQ(pair.ended()[0].bytes, 0U);
  EXPECT_EQ(pair.closed()[0].how, LeaseEnd::kCommitted);
}

TEST(HandoffTest, GrantsMayComeInParts) {
  HandoffPair pair;
  const HandoffAsk ask{.tokens = 16, .held_pages = 1};
  pair.Expect(ask);
  pair.Start(ask);
  pair.Run();
  const AttemptId id = HandoffPair::IdOf(ask);
  pair.inbound->On(GrantInbound{id, 1, {HandoffPair::TargetPage(1)}, false}, pair.now);
  pair.Compute(ask, 0, 4);
  pair.Token(ask, 7);
  pair.Run();
  EXPECT_TRUE(pair.TargetHolds(1));
  EXPECT_TRUE(pair.committed().empty());
  pair.inbound->On(
      GrantInbound{id, 1, {HandoffPair::TargetPage(2), HandoffPair::TargetPage(3)}, true},
      pair.now);
  pair.Run();
  ASSERT_EQ(pair.committed().size(), 1U);
  EXPECT_TRUE(pair.TargetHolds(3));
  ExpectOver(pair, 1);
}

TEST(HandoffTest, AFragmentedGrantTravelsInSeveralMessages) {
  HandoffPair pair;  // target pages are never adjacent: one run each, 256 a message
  const HandoffAsk ask{.tokens = 4 * 300};
  HandOver(pair, ask);
  ASSERT_EQ(pair.committed().size(), 1U);
  ExpectOver(pair, 1);
}

TEST(HandoffTest, ManyHandoffsShareASession) {
  HandoffPair pair;
  for (std::uint64_t i = 1; i <= 20; ++i) HandOver(pair, {.number = i, .tokens = 13});
  EXPECT_EQ(pair.committed().size(), 20U);
  EXPECT_EQ(pair.outbound->stats().sessions_open, 1U);
  EXPECT_EQ(pair.inbound->stats().sessions_open, 1U);
  ExpectOver(pair, 20);
}

TEST(HandoffTest, AnOfferAheadOfTheRouterIsHeld) {
  HandoffPair pair;
  const HandoffAsk first{.number = 1};
  HandOver(pair, first);  // the session stands
  const HandoffAsk ask{.number = 2};
  pair.Start(ask);
  pair.Run();
  EXPECT_EQ(pair.offers().size(), 1U);
  pair.Expect(ask);
  pair.Run();
  EXPECT_EQ(pair.offers().size(), 2U);
  pair.Grant(ask);
  pair.Compute(ask, 0, 3);
  pair.Token(ask, 1);
  pair.Run();
  ExpectOver(pair, 2);
}

TEST(HandoffTest, AnOfferThatNoRouterAnnouncesIsRefusedAfterAWhile) {
  HandoffPair pair;
  HandOver(pair, {.number = 1});
  const HandoffAsk ask{.number = 2};
  pair.Start(ask);
  pair.Advance(Milliseconds(1900));
  EXPECT_EQ(pair.ended().size(), 1U);
  pair.Advance(Milliseconds(300));
  ASSERT_EQ(pair.ended().size(), 2U);
  EXPECT_EQ(pair.ended()[1].reason, HandoffReason::kUnknownRequest);
  EXPECT_TRUE(pair.outbound->settled());
}

TEST(HandoffTest, DifferentTokensAreRefused) {
  HandoffPair pair;
  const HandoffAsk ask{.tokens = 9};
  HandoffAsk other = ask;
  other.tokens = 10;
  pair.Expect(other);
  pair.Start(ask);
  pair.Run();
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kKeysDiffer);
  ExpectOver(pair, 1);
}

TEST(HandoffTest, RefusedForWantOfRoomSaysWhenToComeBack) {
  HandoffPair pair;
  const HandoffAsk ask{};
  pair.Expect(ask);
  pair.Start(ask);
  pair.Run();
  pair.inbound->On(RefuseInbound{HandoffPair::IdOf(ask), HandoffReason::kNoRoom, 250}, pair.now);
  pair.Run();
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kNoRoom);
  EXPECT_EQ(pair.ended()[0].retry_after_ms, 250U);
  ExpectOver(pair, 1);
}

TEST(HandoffTest, ARequestThatEndsAtItsFirstTokenEndsByAbort) {
  HandoffPair pair;
  const HandoffAsk ask{};
  pair.Expect(ask);
  pair.Start(ask);
  pair.Run();
  pair.Grant(ask);
  pair.Compute(ask, 0, 3);
  pair.Token(ask, 2, /*ends=*/true);
  pair.Run();
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kFirstTokenEnds);
  ASSERT_EQ(pair.closed().size(), 1U);
  EXPECT_EQ(pair.closed()[0].how, LeaseEnd::kQuiet);
  ExpectOver(pair, 1);
}

TEST(HandoffTest, ANewerAttemptEndsTheOlderOne) {
  HandoffPair pair;
  const HandoffAsk first{.attempt = 1};
  const HandoffAsk second{.attempt = 2};
  pair.Expect(first);
  pair.Start(first);
  pair.Run();
  pair.Grant(first);
  pair.Run();
  pair.Expect(second);
  pair.Start(second);
  pair.Run();
  ASSERT_EQ(pair.failed().size(), 1U);
  EXPECT_EQ(pair.failed()[0].reason, HandoffReason::kStale);
  pair.Grant(second);
  pair.Compute(second, 0, 3);
  pair.Token(second, 1);
  pair.Run();
  ASSERT_EQ(pair.committed().size(), 1U);
  EXPECT_EQ(pair.committed()[0].id.attempt, 2U);
  ExpectOver(pair, 2);
}

TEST(HandoffTest, AnOlderAttemptIsRefusedAsStale) {
  HandoffPair pair;
  const HandoffAsk old{.attempt = 1};
  const HandoffAsk live{.attempt = 2};
  pair.Expect(live);
  pair.Start(old);
  pair.Run();
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kStale);
}

TEST(HandoffTest, PagesLentToAHandoffThatIsOverComeBack) {
  HandoffPair pair;
  const HandoffAsk ask{};
  pair.Expect(ask);
  pair.Start(ask);
  pair.Run();
  pair.outbound->On(CancelOutbound{HandoffPair::HandoffOf(ask)}, pair.now);
  pair.Run();
  ASSERT_EQ(pair.failed().size(), 1U);
  pair.Grant(ask);
  pair.Run();
  ASSERT_EQ(pair.closed().size(), 1U);
  EXPECT_EQ(pair.closed()[0].lease, LeaseId{});
  EXPECT_EQ(pair.closed()[0].how, LeaseEnd::kQuiet);
  ExpectOver(pair, 1);
}

TEST(HandoffTest, DrainingEndsRefuseNewHandoffsAndFinishLiveOnes) {
  for (const bool prefill_drains : {true, false}) {
    HandoffPair pair;
    const HandoffAsk live{.number = 1};
    pair.Expect(live);
    pair.Start(live);
    pair.Run();
    pair.Grant(live);
    if (prefill_drains) pair.outbound->On(DrainOutbound{}, pair.now);
    if (!prefill_drains) pair.inbound->On(DrainInbound{}, pair.now);
    pair.Run();
    const HandoffAsk late{.number = 2};
    pair.Start(late);
    pair.Run();
    ASSERT_EQ(pair.ended().size(), 1U);
    EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kDraining);
    pair.Compute(live, 0, 3);
    pair.Token(live, 3);
    pair.Run();
    EXPECT_EQ(pair.committed().size(), 1U);
    EXPECT_TRUE(pair.outbound->settled());
    EXPECT_TRUE(pair.inbound->settled());
  }
}

}  // namespace
}  // namespace baton
