// The receiver's machine: every (row, event) pair of ReceiverTable(), which docs/handoff.md shows.
#include "kvtransfer/handoff_receiver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/kvtransfer/machine_table.h"

namespace baton {
namespace {

const Instant kStart{std::chrono::seconds(100)};

OfferMessage Offer(std::uint64_t key) {
  OfferMessage offer;
  offer.handoff = HandoffId{9};
  offer.id = {{1, 2}, 3};
  offer.prompt_tokens = 100;
  offer.prompt_key = {key, 0};
  return offer;
}

LeaseProgress WholeProgress() {
  LeaseProgress progress;
  progress.pages = 2;
  progress.pieces_granted = 4;
  progress.pieces_landed = 4;
  progress.bytes = 256;
  progress.digest = 77;
  return progress;
}

CommitMessage AgreeingCommit() { return {LeaseId{5}, HandoffId{9}, 3, 2, 100, 256, 77, 42}; }

// Rows of ReceiverTable().
enum class Row { kExpected, kOffered, kReceivingPart, kReceivingAll, kCommitted, kClosed };
constexpr int kRows = 6;

HandoffReceiver ReceiverIn(Row row) {
  HandoffReceiver receiver({{{1, 2}, 3}, 2, 100, {7, 0}}, TransferLimits{});
  if (row == Row::kExpected) return receiver;
  receiver.On(HandoffReceiver::Offered{Offer(7)}, kStart);
  if (row == Row::kOffered) return receiver;
  const bool part = row == Row::kReceivingPart;
  receiver.On(HandoffReceiver::Lent{0, part ? 1U : 2U, !part}, kStart);
  if (row == Row::kCommitted) {
    receiver.On(HandoffReceiver::CommitArrived{AgreeingCommit(), WholeProgress()}, kStart);
  }
  if (row == Row::kClosed) {
    receiver.On(HandoffReceiver::Dropped{HandoffReason::kCancelled}, kStart);
  }
  return receiver;
}

/// As ReceiverTable() names them.
std::vector<HandoffReceiver::Event> AllEvents() {
  LeaseProgress hole = WholeProgress();
  hole.pieces_landed = 3;
  return {
      HandoffReceiver::Offered{Offer(7)},
      HandoffReceiver::Offered{Offer(8)},
      HandoffReceiver::Lent{0, 1, false},
      HandoffReceiver::Refused{HandoffReason::kNoRoom, 100},
      HandoffReceiver::Progressed{},
      HandoffReceiver::Corrupted{},
      HandoffReceiver::Renewed{},
      HandoffReceiver::CommitArrived{AgreeingCommit(), WholeProgress()},
      HandoffReceiver::CommitArrived{AgreeingCommit(), hole},
      HandoffReceiver::PeerAborted{HandoffReason::kCancelled},
      HandoffReceiver::Dropped{HandoffReason::kVerdict},
      HandoffReceiver::SessionLost{},
      HandoffReceiver::Timer{},
  };
}

char LetterOf(ReceiverState state) { return "EORKX"[static_cast<int>(state)]; }

int Count(const ReceiverActions& actions, ReceiverAction action) {
  return static_cast<int>(std::count(actions.begin(), actions.end(), action));
}

TEST(HandoffReceiverTest, EveryRowAnswersEveryEventAsTheTableSays) {
  const MachineTable table = ReceiverTable();
  const std::vector<HandoffReceiver::Event> events = AllEvents();
  ASSERT_EQ(table.events.size(), events.size());
  ASSERT_EQ(table.rows.size(), static_cast<std::size_t>(kRows));
  for (int row = 0; row < kRows; ++row) {
    const MachineRow& wanted = table.rows[static_cast<std::size_t>(row)];
    for (std::size_t column = 0; column < events.size(); ++column) {
      if (wanted.next[column] == '-') continue;
      HandoffReceiver receiver = ReceiverIn(static_cast<Row>(row));
      ASSERT_EQ(LetterOf(receiver.state()), wanted.state);
      const bool is_timer = std::holds_alternative<HandoffReceiver::Timer>(events[column]);
      const Instant now = is_timer && receiver.due() != kNever ? receiver.due() : kStart;
      receiver.On(events[column], now);
      EXPECT_EQ(LetterOf(receiver.state()), wanted.next[column])
          << wanted.name << ": " << table.events[column];
    }
  }
}

TEST(HandoffReceiverTest, EveryEndIsToldOnceAndTheLeaseIsErasedBeforeAnybodyHears) {
  for (int row = 0; row < kRows; ++row) {
    for (const HandoffReceiver::Event& first : AllEvents()) {
      HandoffReceiver receiver = ReceiverIn(static_cast<Row>(row));
      const bool lends = std::holds_alternative<HandoffReceiver::Lent>(first);
      if (lends && row == static_cast<int>(Row::kReceivingAll)) continue;
      const bool was_over = receiver.over();
      const bool had_lease = receiver.state() == ReceiverState::kReceiving;
      ReceiverActions all = receiver.On(first, kStart);
      const bool opened = Count(all, ReceiverAction::kOpenLease) > 0;
      for (const ReceiverAction action :
           receiver.On(HandoffReceiver::Dropped{HandoffReason::kCancelled}, kStart)) {
        all.push_back(action);
      }
      const int ends =
          Count(all, ReceiverAction::kNotifyCommitted) + Count(all, ReceiverAction::kNotifyFailed);
      EXPECT_EQ(ends, was_over ? 0 : 1) << row << " " << first.index();
      const int lease = had_lease || opened ? 1 : 0;
      EXPECT_EQ(Count(all, ReceiverAction::kEraseLease), lease) << row << " " << first.index();
      EXPECT_EQ(Count(all, ReceiverAction::kNotifyLeaseClosed), lease)
          << row << " " << first.index();
      const auto erased = std::find(all.begin(), all.end(), ReceiverAction::kEraseLease);
      const auto told = std::find(all.begin(), all.end(), ReceiverAction::kNotifyLeaseClosed);
      EXPECT_LE(erased - all.begin(), told - all.begin());
    }
  }
}

TEST(HandoffReceiverTest, TheLeaseIsOpenBeforeTheGrantLeaves) {
  HandoffReceiver receiver = ReceiverIn(Row::kOffered);
  const ReceiverActions actions = receiver.On(HandoffReceiver::Lent{0, 2, true}, kStart);
  const ReceiverActions expected = {ReceiverAction::kOpenLease, ReceiverAction::kAppendLease,
                                    ReceiverAction::kSendGrant};
  EXPECT_EQ(actions, expected);
}

TEST(HandoffReceiverTest, ACommitMustAgreeInEveryField) {
  const auto refused = [](const CommitMessage& commit, const LeaseProgress& progress) {
    HandoffReceiver receiver = ReceiverIn(Row::kReceivingAll);
    receiver.On(HandoffReceiver::CommitArrived{commit, progress}, kStart);
    return receiver.state() == ReceiverState::kClosed;
  };
  EXPECT_FALSE(refused(AgreeingCommit(), WholeProgress()));
  CommitMessage commit = AgreeingCommit();
  commit.handoff = HandoffId{8};
  EXPECT_TRUE(refused(commit, WholeProgress()));
  commit = AgreeingCommit();
  commit.attempt = 2;
  EXPECT_TRUE(refused(commit, WholeProgress()));
  commit = AgreeingCommit();
  commit.pages = 1;
  EXPECT_TRUE(refused(commit, WholeProgress()));
  commit = AgreeingCommit();
  commit.tokens = 99;
  EXPECT_TRUE(refused(commit, WholeProgress()));
  commit = AgreeingCommit();
  commit.bytes = 255;
  EXPECT_TRUE(refused(commit, WholeProgress()));
  commit = AgreeingCommit();
  commit.digest = 78;
  EXPECT_TRUE(refused(commit, WholeProgress()));
  LeaseProgress progress = WholeProgress();
  progress.corrupt = true;
  EXPECT_TRUE(refused(AgreeingCommit(), progress));
}

TEST(HandoffReceiverTest, RenewingMovesTheLeaseEndButNotTheStallClock) {
  TransferLimits limits;
  limits.lease_ttl = Milliseconds(1000);
  limits.stall = Milliseconds(2500);
  HandoffReceiver receiver({{{1, 2}, 3}, 2, 100, {7, 0}}, limits);
  receiver.On(HandoffReceiver::Offered{Offer(7)}, kStart);
  receiver.On(HandoffReceiver::Lent{0, 2, true}, kStart);
  EXPECT_EQ(receiver.due(), kStart + Milliseconds(1000));
  receiver.On(HandoffReceiver::Renewed{}, kStart + Milliseconds(900));
  EXPECT_EQ(receiver.due(), kStart + Milliseconds(1900));
  receiver.On(HandoffReceiver::Renewed{}, kStart + Milliseconds(1800));
  EXPECT_EQ(receiver.due(), kStart + Milliseconds(2500));
  receiver.On(HandoffReceiver::Timer{}, kStart + Milliseconds(2500));
  EXPECT_EQ(receiver.reason(), HandoffReason::kStall);
}

}  // namespace
}  // namespace baton
