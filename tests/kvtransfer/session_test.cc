// The parts that sessions are made of: numbered messages, remembered sending times, the window, the
// engine's pulse, bounded memory.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kvtransfer/inbound_memory.h"
#include "kvtransfer/loopback_transport.h"
#include "kvtransfer/outbound_session.h"
#include "kvtransfer/session_pipe.h"
#include "kvtransfer/step_progress.h"
#include "kvtransfer/transfer_limits.h"

namespace baton {
namespace {

const Instant kStart{std::chrono::seconds(100)};

class OutboundSessionTest : public testing::Test {
 protected:
  OutboundSessionTest() {
    const PeerId peer = *a_.Connect("b");
    session_.Connecting(SessionPipe(a_, peer), 1, kStart);
    ack_.incarnation = Incarnation{5};
    ack_.arenas = {{0, 128, 10, 64}};
    ack_.window_bytes = 100;
    ack_.ttl_ms = 5000;
    ack_.renew_ms = 1000;
  }
  void Open() { session_.Opened(SessionId{9}, ack_); }

  LoopbackFabric fabric_;
  LoopbackTransport a_{fabric_, "a"};
  LoopbackTransport b_{fabric_, "b"};
  OutboundSession session_{DecodePeer{"d0", Incarnation{5}, "b", {}}, TransferLimits{}};
  HelloAckMessage ack_;
};

TEST_F(OutboundSessionTest, AnAcknowledgementThatDoesNotFitIsNamed) {
  EXPECT_EQ(session_.Misfit(ack_, 128), "");
  HelloAckMessage ack = ack_;
  ack.incarnation = Incarnation{6};
  EXPECT_NE(session_.Misfit(ack, 128).find("incarnation"), std::string::npos);
  EXPECT_NE(session_.Misfit(ack_, 256).find("page_bytes"), std::string::npos);
  ack = ack_;
  ack.arenas.clear();
  EXPECT_NE(session_.Misfit(ack, 128).find("arenas"), std::string::npos);
  ack = ack_;
  ack.arenas[0].piece_bytes = 0;
  EXPECT_NE(session_.Misfit(ack, 128).find("piece_bytes"), std::string::npos);
  for (const std::uint32_t ttl : {0U, 1000U, 0xffffffffU}) {
    ack = ack_;
    ack.ttl_ms = ttl;
    EXPECT_NE(session_.Misfit(ack, 128).find("ttl_ms"), std::string::npos) << ttl;
  }
}

TEST_F(OutboundSessionTest, PostUntilCountsFromTheSendingOfWhatWasAnswered) {
  Open();
  const std::uint32_t first = session_.Numbered(kStart);
  const std::uint32_t second = session_.Numbered(kStart + Milliseconds(700));
  EXPECT_EQ(session_.PostUntil(first), kStart + Milliseconds(4000));
  EXPECT_EQ(session_.PostUntil(second), kStart + Milliseconds(4700));
  EXPECT_EQ(session_.PostUntil(second + 1), std::nullopt);
  EXPECT_EQ(session_.PostUntil(0), std::nullopt);
}

TEST_F(OutboundSessionTest, SilenceIsCountedFromTheOldestUnansweredNumber) {
  Open();
  EXPECT_EQ(session_.silence_due(), kNever);
  const std::uint32_t first = session_.Numbered(kStart);
  session_.Numbered(kStart + Milliseconds(700));
  EXPECT_EQ(session_.silence_due(), kStart + Milliseconds(5000));
  session_.Answered(first);
  EXPECT_EQ(session_.silence_due(), kStart + Milliseconds(5700));
  session_.Answered(first + 100);  // never sent: a lie, without effect
  EXPECT_EQ(session_.silence_due(), kStart + Milliseconds(5700));
  session_.Answered(first + 1);
  EXPECT_EQ(session_.silence_due(), kNever);
}

TEST_F(OutboundSessionTest, TheWindowHoldsBackWhatIsNotCredited) {
  Open();
  EXPECT_TRUE(session_.WindowAllows(1000));  // one frame always fits an empty window
  EXPECT_FALSE(session_.WindowHolds(101));
  session_.CountPosted(1, 60, kStart);
  EXPECT_TRUE(session_.WindowAllows(40));
  EXPECT_FALSE(session_.WindowAllows(41));
  session_.Credited(1000, kStart);  // more than was posted: ignored
  EXPECT_FALSE(session_.WindowAllows(41));
  session_.Credited(60, kStart);
  EXPECT_TRUE(session_.WindowAllows(41));
}

TEST_F(OutboundSessionTest, WhatTheTransportHasNotWrittenHoldsBackMore) {
  ack_.window_bytes = 1 << 30;
  Open();
  constexpr std::uint64_t kMost = OutboundSession::kUnwrittenBytesMax;
  session_.CountPosted(1, kMost, kStart);
  EXPECT_FALSE(session_.WindowHolds(1));
  session_.CountWritten(kMost / 2);  // sent, though the peer has credited nothing
  EXPECT_TRUE(session_.WindowHolds(kMost / 2));
  EXPECT_FALSE(session_.WindowHolds(kMost / 2 + 1));
}

TEST_F(OutboundSessionTest, TheWindowFollowsTheRateBetweenItsBounds) {
  constexpr std::uint64_t kMebi = 1 << 20;
  const auto window_at = [&](std::uint64_t bytes_per_ms) {
    ack_.window_bytes = 1 << 30;
    Open();
    EXPECT_EQ(session_.window_bytes(), 16 * kMebi);
    Instant now = kStart;
    std::uint64_t consumed = 0;
    for (int i = 0; i < 100; ++i) {
      session_.CountPosted(1, 10 * bytes_per_ms, now);
      now += Milliseconds(10);
      session_.Credited(consumed += 10 * bytes_per_ms, now);
      now += Milliseconds(5);  // idle time is not slowness
    }
    return session_.window_bytes();
  };
  EXPECT_NEAR(static_cast<double>(window_at(kMebi / 5)), 10.0 * kMebi, 1000);  // 200 MiB/s x 50 ms
  EXPECT_EQ(window_at(kMebi / 20), 4 * kMebi);
  EXPECT_EQ(window_at(100 * kMebi), 64 * kMebi);
}

TEST(TransferLimitsTest, LeasesThatCannotBeRenewedAreRefused) {
  TransferConfig config;
  EXPECT_TRUE(TransferLimitsFrom(config).ok());
  config.lease_ms = 1999;
  EXPECT_TRUE(absl::IsInvalidArgument(TransferLimitsFrom(config).status()));
  config.lease_ms = 2000;
  const auto limits = TransferLimitsFrom(config);
  ASSERT_TRUE(limits.ok());
  EXPECT_EQ(limits->lease_ttl, Milliseconds(2000));
  EXPECT_EQ(limits->post_margin, Milliseconds(400));
  config.stall_ms = 0;
  EXPECT_FALSE(TransferLimitsFrom(config).ok());
}

TEST_F(OutboundSessionTest, BackOffDoublesUpToItsLimitAndBeginsAnewAfterASuccess) {
  Instant now = kStart;
  Duration last{};
  for (int i = 0; i < 10; ++i) {
    session_.Lost(1.0, now);
    const Duration wait = session_.connect_at() - now;
    EXPECT_GE(wait, last);
    EXPECT_LE(wait, Milliseconds(5000));
    last = wait;
  }
  EXPECT_EQ(last, Milliseconds(5000));
  session_.Connecting(SessionPipe(a_, *a_.Connect("b")), 2, now);
  Open();
  session_.Lost(0.0, now);
  EXPECT_EQ(session_.connect_at() - now, Milliseconds(50));
}

TEST(SessionPipeTest, DuplicatesAndGapsAreTold) {
  LoopbackFabric fabric;
  LoopbackTransport a(fabric, "a");
  LoopbackTransport b(fabric, "b");
  SessionPipe pipe(a, *a.Connect("b"));
  pipe.Open(SessionId{3}, /*arrived=*/1);
  EXPECT_EQ(pipe.Take({SessionId{3}, 0, 0}), Arrival::kDuplicate);
  EXPECT_EQ(pipe.Take({SessionId{3}, 2, 0}), Arrival::kGap);
  EXPECT_EQ(pipe.Take({SessionId{3}, 1, 0}), Arrival::kNext);
  EXPECT_EQ(pipe.Take({SessionId{3}, 1, 0}), Arrival::kDuplicate);
}

TEST(SessionPipeTest, WhatFindsNoRoomWaitsUpToABound) {
  LoopbackFabric fabric;
  LoopbackTransport a(fabric, "a");
  LoopbackTransport b(fabric, "b");
  fabric.faults("a", "b").held = true;
  SessionPipe pipe(a, *a.Connect("b"));
  absl::Status status;
  int sent = 0;
  while (status.ok() && sent < 100000) {
    status = pipe.Send(ByeMessage{});
    ++sent;
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_TRUE(pipe.waits());
  fabric.faults("a", "b").held = false;
  std::vector<TransportEvent> events;
  b.Poll(events);
  EXPECT_TRUE(pipe.Flush().ok());
  EXPECT_FALSE(pipe.waits());
}

TEST(StepProgressTest, PagesAreCompleteWhenTheStepsLastLayerIs) {
  StepProgress steps(2);
  const StepSpan span{HandoffId{1}, 0, 3, true};
  EXPECT_TRUE(steps.On(OutboundStep{0, {span}}, kStart).empty());
  EXPECT_TRUE(steps.On(OutboundLayer{0, 0}, kStart).empty());
  EXPECT_EQ(steps.On(OutboundLayer{0, 1}, kStart).size(), 1U);
  EXPECT_TRUE(steps.On(OutboundLayer{0, 1}, kStart).empty());
}

TEST(StepProgressTest, AStepMayBeHeardAfterItsEnd) {
  StepProgress steps(2);
  EXPECT_TRUE(steps.On(OutboundLayer{4, 1}, kStart).empty());
  EXPECT_EQ(steps.On(OutboundStep{4, {StepSpan{}}}, kStart).size(), 1U);
  EXPECT_TRUE(steps.On(OutboundStep{5, {StepSpan{}}}, kStart).empty());
}

TEST(StepProgressTest, AStepThatFinishesNoLayerStands) {
  StepProgress steps(3);
  const Duration limit = Milliseconds(100);
  EXPECT_FALSE(steps.Stands(limit, kStart + Milliseconds(5000)));  // nothing under way
  steps.On(OutboundStep{1, {}}, kStart);
  EXPECT_FALSE(steps.Stands(limit, kStart + Milliseconds(99)));
  EXPECT_TRUE(steps.Stands(limit, kStart + Milliseconds(100)));
  steps.On(OutboundLayer{1, 0}, kStart + Milliseconds(100));
  EXPECT_FALSE(steps.Stands(limit, kStart + Milliseconds(150)));
  steps.On(OutboundLayer{1, 2}, kStart + Milliseconds(150));
  EXPECT_FALSE(steps.Stands(limit, kStart + Milliseconds(5000)));
}

TEST(RememberedTest, TheOldestLeavesAndNothingIsKeptTwice) {
  Remembered<int, 3> memory;
  for (const int value : {1, 2, 2, 2, 3}) memory.Add(value);
  EXPECT_TRUE(memory.Has(1));
  memory.Add(4);
  EXPECT_FALSE(memory.Has(1));
  EXPECT_TRUE(memory.Has(2));
}

}  // namespace
}  // namespace baton
