// Hand-offs that are hurt: cancels in every state, lost peers, leases that end, engines that stand,
// strangers. Each must end once at each end, with a reason, and give every page back.
#include <gtest/gtest.h>

#include <functional>

#include "tests/kvtransfer/handoff_pair.h"

namespace baton {
namespace {

/// A hand-off of ten tokens brought just past the named point.
enum class Point { kStarted, kOffered, kGranted, kHalfSent, kAllSent, kCommitSent, kCommitted };
constexpr Point kPoints[] = {Point::kStarted,  Point::kOffered, Point::kGranted,
                             Point::kHalfSent, Point::kAllSent, Point::kCommitSent,
                             Point::kCommitted};

const HandoffAsk kAsk{.tokens = 10};

void BringTo(HandoffPair& pair, Point point) {
  pair.Expect(kAsk);
  pair.Start(kAsk);
  if (point == Point::kStarted) return;
  pair.Run();
  if (point == Point::kOffered) return;
  pair.Grant(kAsk);
  pair.Run();
  if (point == Point::kGranted) return;
  pair.Compute(kAsk, 0, 2);
  pair.Run();
  if (point == Point::kHalfSent) return;
  pair.Compute(kAsk, 2, 3);
  pair.Run();
  if (point == Point::kAllSent) return;
  pair.Token(kAsk, 42);
  if (point == Point::kCommitSent) return;
  pair.Run();
}

void ExpectWhole(const HandoffPair& pair) {
  EXPECT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.settled().size(), 1U);
  EXPECT_EQ(pair.committed().size() + pair.failed().size(), 1U);
  EXPECT_TRUE(pair.outbound->settled());
  EXPECT_TRUE(pair.inbound->settled());
  EXPECT_EQ(pair.inbound->stats().leases_open, 0U);
  EXPECT_EQ(pair.outbound->stats().writes_open, 0U);
  for (const LeaseClosed& closed : pair.closed()) {
    EXPECT_EQ(closed.how == LeaseEnd::kCommitted, !pair.committed().empty());
  }
}

TEST(HandoffFailureTest, CancelAtPrefillEndsItInEveryState) {
  for (const Point point : kPoints) {
    HandoffPair pair;
    BringTo(pair, point);
    pair.outbound->On(CancelOutbound{HandoffPair::HandoffOf(kAsk)}, pair.now);
    pair.Run();
    pair.inbound->On(CloseInbound{HandoffPair::IdOf(kAsk)}, pair.now);  // the router tells both
    pair.Run();
    SCOPED_TRACE(static_cast<int>(point));
    ExpectWhole(pair);
    const bool too_late = point == Point::kCommitSent || point == Point::kCommitted;
    EXPECT_EQ(pair.committed().size(), too_late ? 1U : 0U);
  }
}

TEST(HandoffFailureTest, CancelAtDecodeEndsItInEveryState) {
  for (const Point point : kPoints) {
    HandoffPair pair;
    BringTo(pair, point);
    pair.inbound->On(CloseInbound{HandoffPair::IdOf(kAsk)}, pair.now);
    pair.Run();
    pair.outbound->On(CancelOutbound{HandoffPair::HandoffOf(kAsk)}, pair.now);
    pair.Run();
    SCOPED_TRACE(static_cast<int>(point));
    ExpectWhole(pair);
    EXPECT_EQ(pair.committed().size(), point == Point::kCommitted ? 1U : 0U);
  }
}

TEST(HandoffFailureTest, BothEndsMayAbortAtOnceInEveryState) {
  for (const Point point : kPoints) {
    HandoffPair pair;
    BringTo(pair, point);
    pair.inbound->On(CloseInbound{HandoffPair::IdOf(kAsk)}, pair.now);
    pair.outbound->On(CancelOutbound{HandoffPair::HandoffOf(kAsk)}, pair.now);
    pair.Run();
    SCOPED_TRACE(static_cast<int>(point));
    ExpectWhole(pair);
  }
}

TEST(HandoffFailureTest, ACutLinkEndsItInEveryState) {
  for (const Point point : kPoints) {
    HandoffPair pair;
    BringTo(pair, point);
    pair.fabric.Cut("prefill", "decode");
    pair.Run();
    SCOPED_TRACE(static_cast<int>(point));
    if (point == Point::kStarted) continue;  // no session yet: it is opened after the cut
    EXPECT_EQ(pair.ended().size(), 1U);
    EXPECT_EQ(pair.settled().size(), 1U);
    EXPECT_TRUE(pair.outbound->settled());
    EXPECT_EQ(pair.inbound->stats().leases_open, 0U);
    if (point == Point::kCommitted) continue;
    EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kPeerLost);
    ASSERT_EQ(pair.failed().size(), 1U);
    EXPECT_EQ(pair.failed()[0].reason, HandoffReason::kPeerLost);
  }
}

TEST(HandoffFailureTest, ADeadDecodeWorkerEndsItAtPrefillInEveryState) {
  for (const Point point : kPoints) {
    HandoffPair pair;
    BringTo(pair, point);
    pair.KillDecode();
    pair.Run();
    SCOPED_TRACE(static_cast<int>(point));
    ASSERT_EQ(pair.ended().size(), 1U);
    EXPECT_EQ(pair.settled().size(), 1U);
    const bool over = point == Point::kCommitted;
    EXPECT_EQ(pair.ended()[0].reason, over ? HandoffReason::kCommitted : HandoffReason::kPeerLost);
  }
}

TEST(HandoffFailureTest, ASilentLinkEndsItInBoundedTimeAndLateFramesLandNowhere) {
  HandoffPair pair;
  BringTo(pair, Point::kGranted);
  pair.fabric.faults("prefill", "decode").held = true;
  pair.fabric.faults("decode", "prefill").held = true;
  pair.Compute(kAsk, 0, 3);  // posted, under way, held
  pair.Advance(Milliseconds(6000));
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kLeaseEnd);
  ASSERT_EQ(pair.failed().size(), 1U);
  EXPECT_EQ(pair.failed()[0].reason, HandoffReason::kLeaseEnd);
  ASSERT_EQ(pair.closed().size(), 1U);
  EXPECT_EQ(pair.closed()[0].how, LeaseEnd::kQuiet);

  // The pages have a new owner now; the link heals and the old frames arrive.
  std::memset(pair.target->base(), 0x77, HandoffPair::kPages * SmallLayout().PageBytes());
  pair.fabric.faults("prefill", "decode").held = false;
  pair.fabric.faults("decode", "prefill").held = false;
  pair.Advance(Milliseconds(200));
  for (std::size_t i = 0; i < HandoffPair::kPages * SmallLayout().PageBytes(); ++i) {
    ASSERT_EQ(pair.target->base()[i], std::byte{0x77}) << i;
  }
  EXPECT_TRUE(pair.outbound->settled());
}

TEST(HandoffFailureTest, FramesOfAClosedLeaseAreRefusedAndCounted) {
  HandoffPair pair;
  BringTo(pair, Point::kGranted);
  pair.fabric.faults("prefill", "decode").held = true;
  pair.Compute(kAsk, 0, 3);
  pair.Run();
  pair.inbound->On(CloseInbound{HandoffPair::IdOf(kAsk)}, pair.now);
  pair.Run();
  ASSERT_EQ(pair.closed().size(), 1U);
  EXPECT_EQ(pair.settled().size(), 0U);  // the writes are still open: source pages stay
  pair.fabric.faults("prefill", "decode").held = false;
  pair.Run();
  EXPECT_EQ(pair.inbound->stats().stale_frames_refused, 6U);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_TRUE(pair.TargetUntouched(i));
  ExpectWhole(pair);
}

TEST(HandoffFailureTest, SourcePagesStayUntilTheLastWriteReports) {
  HandoffPair pair;
  BringTo(pair, Point::kGranted);
  pair.fabric.faults("prefill", "decode").held = true;
  pair.Compute(kAsk, 0, 3);
  pair.Run();
  pair.outbound->On(CancelOutbound{HandoffPair::HandoffOf(kAsk)}, pair.now);
  pair.Run();
  EXPECT_EQ(pair.ended().size(), 1U);
  EXPECT_TRUE(pair.settled().empty());
  pair.fabric.faults("prefill", "decode").held = false;
  pair.Run();
  ExpectWhole(pair);
}

TEST(HandoffFailureTest, RenewalsKeepALeaseWhileTheEngineMoves) {
  HandoffPair pair;
  BringTo(pair, Point::kHalfSent);
  for (int i = 0; i < 20; ++i) {
    pair.outbound->On(OutboundStep{++pair.step, {}}, pair.now);  // others' prompts run meanwhile
    pair.outbound->On(OutboundLayer{pair.step, 1}, pair.now);
    pair.Advance(Milliseconds(1000));
  }
  pair.Compute(kAsk, 2, 3);
  pair.Token(kAsk, 42);
  pair.Run();
  EXPECT_EQ(pair.committed().size(), 1U);
  ExpectWhole(pair);
}

TEST(HandoffFailureTest, AStandingEngineLosesItsLeases) {
  TransferLimits prefill_limits;
  prefill_limits.stall = Milliseconds(2000);
  HandoffPair pair(prefill_limits, TransferLimits{});
  BringTo(pair, Point::kGranted);
  // The step goes on for ever; the transfer thread lives and would renew.
  pair.outbound->On(OutboundStep{++pair.step, {{HandoffPair::HandoffOf(kAsk), 0, 3, true}}},
                    pair.now);
  pair.Advance(Milliseconds(10000));
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kLeaseEnd);
  ExpectWhole(pair);
}

TEST(HandoffFailureTest, AStallWithoutNewPiecesEndsIt) {
  TransferLimits limits;
  limits.stall = Milliseconds(2000);
  HandoffPair pair(limits);
  BringTo(pair, Point::kHalfSent);
  pair.Advance(Milliseconds(2500));
  ASSERT_EQ(pair.failed().size(), 1U);
  EXPECT_EQ(pair.failed()[0].reason, HandoffReason::kStall);
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kStall);
  ExpectWhole(pair);
}

TEST(HandoffFailureTest, AnOfferWithoutAnswerEndsByItsDeadline) {
  HandoffPair pair;
  BringTo(pair, Point::kOffered);
  pair.Advance(Milliseconds(11000));
  ASSERT_EQ(pair.ended().size(), 1U);
  ExpectWhole(pair);
}

TEST(HandoffFailureTest, AGrantThatLayInASocketIsDeadOnArrival) {
  HandoffPair pair;
  BringTo(pair, Point::kOffered);
  pair.fabric.faults("decode", "prefill").held = true;
  pair.Grant(kAsk);
  pair.inbound->Tick(pair.now);
  // Prefill stands (stopped process): no Tick for longer than the lease less its margin.
  pair.now += Milliseconds(4500);
  pair.fabric.faults("decode", "prefill").held = false;
  pair.Compute(kAsk, 0, 3);
  pair.Run();
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].bytes, 0U);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_TRUE(pair.TargetUntouched(i));
  pair.Advance(Milliseconds(1000));
  ExpectWhole(pair);
}

TEST(HandoffFailureTest, ADamagedFrameIsNeverCommitted) {
  HandoffPair pair;
  BringTo(pair, Point::kGranted);
  pair.fabric.faults("prefill", "decode").damage = 1;
  pair.Compute(kAsk, 0, 3);
  pair.Token(kAsk, 42);
  pair.Run();
  EXPECT_TRUE(pair.committed().empty());
  ASSERT_EQ(pair.failed().size(), 1U);
  EXPECT_EQ(pair.failed()[0].reason, HandoffReason::kCorrupt);
  EXPECT_EQ(pair.inbound->stats().crc_errors, 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kCorrupt);
  ExpectWhole(pair);
}

TEST(HandoffFailureTest, ALostFrameEndsTheSessionAndIsNeverCommitted) {
  HandoffPair pair;
  BringTo(pair, Point::kGranted);
  pair.fabric.faults("prefill", "decode").drop = 1;
  pair.Compute(kAsk, 0, 3);
  pair.Token(kAsk, 42);
  pair.Advance(Milliseconds(7000));
  EXPECT_TRUE(pair.committed().empty());
  EXPECT_EQ(pair.failed().size(), 1U);
  EXPECT_EQ(pair.ended().size(), 1U);
  EXPECT_TRUE(pair.outbound->settled());
}

TEST(HandoffFailureTest, DuplicatesOfEverythingChangeNothing) {
  HandoffPair pair;
  pair.fabric.faults("prefill", "decode").duplicate = 1000;
  pair.fabric.faults("decode", "prefill").duplicate = 1000;
  BringTo(pair, Point::kCommitted);
  EXPECT_EQ(pair.committed().size(), 1U);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_TRUE(pair.TargetHolds(i));
  EXPECT_EQ(pair.inbound->stats().duplicate_frames + pair.inbound->stats().stale_frames_refused,
            6U);
  ExpectWhole(pair);
}

TEST(HandoffFailureTest, DelaysOfManyPollsOnlyDelay) {
  HandoffPair pair;
  pair.fabric.faults("prefill", "decode").delay_polls = 9;
  pair.fabric.faults("decode", "prefill").delay_polls = 5;
  pair.Expect(kAsk);
  pair.Start(kAsk);
  pair.Run(60);
  pair.Grant(kAsk);
  pair.Compute(kAsk, 0, 3);
  pair.Token(kAsk, 42);
  pair.Run(80);
  EXPECT_EQ(pair.committed().size(), 1U);
  ExpectWhole(pair);
}

TEST(HandoffFailureTest, AVerdictEndsOnlyTheNamedHandoffs) {
  HandoffPair pair;
  const HandoffAsk other{.number = 2, .tokens = 10};
  BringTo(pair, Point::kGranted);
  pair.Expect(other);
  pair.Start(other);
  pair.Run();
  pair.inbound->On(InboundVerdict{Incarnation{100}, {HandoffPair::IdOf(kAsk)}}, pair.now);
  pair.inbound->On(InboundVerdict{Incarnation{999}, {HandoffPair::IdOf(other)}}, pair.now);
  pair.Run();
  ASSERT_EQ(pair.failed().size(), 1U);
  EXPECT_EQ(pair.failed()[0].id, HandoffPair::IdOf(kAsk));
  EXPECT_EQ(pair.failed()[0].reason, HandoffReason::kVerdict);
  pair.outbound->On(OutboundVerdict{Incarnation{200}, {HandoffPair::HandoffOf(other)}}, pair.now);
  pair.Run();
  EXPECT_EQ(pair.ended().size(), 2U);
  EXPECT_EQ(pair.ended()[1].reason, HandoffReason::kVerdict);
  EXPECT_EQ(pair.outbound->stats().sessions_open, 1U);  // a verdict is not a fence
}

// Numbers of hand-offs are each prefill worker's own: two may be equal.
TEST(HandoffFailureTest, AHeldOfferKeepsItsTimeWhenAnothersOfItsNumberIsOpened) {
  HandoffPair pair;
  LoopbackTransport wire(pair.fabric, "other prefill");
  OutboundTransfers other(LocalWorker{"p1", Incarnation{101}, SmallFields()}, *pair.source, wire, 8,
                          {});
  const auto expect = [&pair](std::uint64_t number, Incarnation prefill) {
    ExpectInbound command;
    command.id = {{1, number}, 1};
    command.prefill = prefill;
    command.introduction = pair.introduction;
    command.prompt_tokens = 10;
    command.prompt_key = {number, 5};
    pair.inbound->On(command, pair.now);
  };
  expect(8, Incarnation{100});  // so that both are no strangers
  expect(9, Incarnation{101});
  pair.Start({.number = 1});
  pair.Run();
  pair.Advance(Milliseconds(1500));
  StartOutbound start;
  start.handoff = HandoffPair::HandoffOf({.number = 1});
  start.id = {{1, 2}, 1};
  start.peer = {"d0", pair.decode_incarnation, "decode", pair.introduction};
  start.prompt_tokens = 10;
  start.prompt_key = {2, 5};
  for (std::uint32_t i = 0; i < 3; ++i) start.pages.push_back(HandoffPair::SourcePage(i));
  other.On(start, pair.now);
  for (int i = 0; i < 12; ++i) {
    other.Tick(pair.now);
    pair.Run(1);
  }
  ASSERT_TRUE(pair.ended().empty());
  expect(2, Incarnation{101});
  pair.Advance(Milliseconds(700));      // the first one's two seconds are over
  EXPECT_EQ(pair.offers().size(), 1U);  // the other's was held, and is opened
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kUnknownRequest);
}

TEST(HandshakeTest, EveryFlippedFieldIsNamed) {
  const FingerprintFields fields = SmallFields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    FingerprintFields flipped = fields;
    flipped[i].second += "x";
    HandoffPair pair;
    pair.StartPrefill(flipped);
    pair.Expect(kAsk);
    pair.Start(kAsk);
    pair.Run();
    ASSERT_EQ(pair.ended().size(), 1U) << fields[i].first;
    EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kRefused);
    EXPECT_NE(pair.ended()[0].message.find(fields[i].first), std::string::npos)
        << pair.ended()[0].message;
    EXPECT_NE(pair.ended()[0].message.find(flipped[i].second), std::string::npos);
    EXPECT_EQ(pair.inbound->stats().hello_refused.total(), 1U);
    EXPECT_EQ(pair.inbound->stats().sessions_open, 0U);
  }
}

TEST(HandshakeTest, AFieldTooManyOrTooFewIsNamed) {
  for (const bool more : {true, false}) {
    FingerprintFields fields = SmallFields();
    if (more) fields.emplace_back("tp_size", "2");
    if (!more) fields.pop_back();
    HandoffPair pair;
    pair.StartPrefill(fields);
    pair.Expect(kAsk);
    pair.Start(kAsk);
    pair.Run();
    ASSERT_EQ(pair.ended().size(), 1U);
    EXPECT_NE(pair.ended()[0].message.find(more ? "tp_size" : "backend"), std::string::npos);
  }
}

TEST(HandshakeTest, AnIntroductionThatNobodyAnnouncedIsDroppedAfterAWhile) {
  HandoffPair pair;
  pair.Start(kAsk);  // no Expect: the router never spoke to decode
  pair.Advance(Milliseconds(3000));
  EXPECT_EQ(pair.inbound->stats().sessions_open, 0U);
  EXPECT_GE(pair.inbound->stats().hello_refused.total(), 1U);
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kDeadline) << "a stranger was answered";
  EXPECT_TRUE(pair.outbound->settled());
}

TEST(HandshakeTest, AStrangerIsNotToldWhatDiffers) {
  HandoffPair pair;
  pair.StartDecode(Incarnation{201}, SmallFields());
  pair.decode_incarnation = Incarnation{200};
  pair.Start(kAsk);  // and no Expect
  pair.Advance(Milliseconds(3000));
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_EQ(pair.ended()[0].reason, HandoffReason::kDeadline);
  EXPECT_EQ(pair.ended()[0].message.find("incarnation"), std::string::npos);
}

TEST(HandshakeTest, AnotherLifeOfDecodeRefusesByIncarnation) {
  HandoffPair pair;
  pair.StartDecode(Incarnation{201}, SmallFields());
  pair.decode_incarnation = Incarnation{200};  // what the router still believes
  pair.Expect(kAsk);
  pair.Start(kAsk);
  pair.Run();
  ASSERT_EQ(pair.ended().size(), 1U);
  EXPECT_NE(pair.ended()[0].message.find("incarnation"), std::string::npos);
  EXPECT_EQ(pair.inbound->stats().sessions_open, 0U);
}

TEST(HandshakeTest, ADecodeWorkerThatComesBackIsMetAnew) {
  HandoffPair pair;
  BringTo(pair, Point::kHalfSent);
  pair.StartDecode(Incarnation{201}, SmallFields());
  pair.Run();
  ASSERT_EQ(pair.ended().size(), 1U);
  const HandoffAsk again{.number = 1, .attempt = 2, .tokens = 10};
  pair.Expect(again);
  pair.Start(again);
  pair.Run();
  pair.Grant(again);
  pair.Compute(again, 0, 3);
  pair.Token(again, 42);
  pair.Run();
  ASSERT_EQ(pair.committed().size(), 1U);
  EXPECT_EQ(pair.committed()[0].id.attempt, 2U);
}

TEST(HandshakeTest, ACutSessionIsOpenedAgainAfterABackOff) {
  HandoffPair pair;
  BringTo(pair, Point::kCommitted);
  for (std::uint64_t i = 2; i <= 6; ++i) {
    pair.fabric.Cut("prefill", "decode");
    pair.Run();
    const HandoffAsk ask{.number = i, .tokens = 10};
    pair.Expect(ask);
    pair.Start(ask);
    pair.Advance(Milliseconds(500), Milliseconds(10));
    pair.Grant(ask);
    pair.Compute(ask, 0, 3);
    pair.Token(ask, 42);
    pair.Run();
    ASSERT_EQ(pair.committed().size(), i);
  }
  EXPECT_EQ(pair.outbound->stats().sessions_open, 1U);
  EXPECT_EQ(pair.inbound->stats().sessions_open, 1U);
}

}  // namespace
}  // namespace baton
