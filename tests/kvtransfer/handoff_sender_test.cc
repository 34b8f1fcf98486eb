// The sender's machine: every (row, event) pair of SenderTable(), which docs/handoff.md shows.
#include "kvtransfer/handoff_sender.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/kvtransfer/machine_table.h"

namespace baton {
namespace {

const Instant kStart{std::chrono::seconds(100)};
const Instant kPostUntil = kStart + Milliseconds(4000);

GrantMessage WholeGrant() {
  GrantMessage grant;
  grant.handoff = HandoffId{1};
  grant.attempt = 1;
  grant.lease = LeaseId{5};
  grant.runs = {{0, 8, 2}};
  grant.final = true;
  return grant;
}

/// Two pages of one piece each, ready; in kSending and later one write is open.
HandoffSender SenderIn(SenderState state) {
  HandoffSender sender({HandoffId{1}, 1, 2, 100, 2}, TransferLimits{}, kStart);
  if (state == SenderState::kWaiting) return sender;
  sender.On(HandoffSender::SessionOpened{PiecePlan{64, 64}}, kStart);
  if (state == SenderState::kOffered) return sender;
  sender.On(HandoffSender::Granted{WholeGrant(), kPostUntil}, kStart);
  sender.On(HandoffSender::Posted{1, 64, 11}, kStart);
  if (state == SenderState::kSending) return sender;
  if (state == SenderState::kFailed) {
    sender.On(HandoffSender::Cancelled{HandoffReason::kCancelled}, kStart);
    return sender;
  }
  sender.On(HandoffSender::FirstToken{7, false}, kStart);
  sender.On(HandoffSender::Posted{1, 64, 22}, kStart);
  if (state == SenderState::kCommitting) return sender;
  sender.On(HandoffSender::CommitAcked{true, {}}, kStart);
  return sender;
}

/// The situation of a row of SenderTable().
HandoffSender SenderOfRow(std::size_t row) {
  constexpr std::size_t kTokenKnown = 3;
  constexpr std::size_t kAllPosted = 4;
  if (row < kTokenKnown) return SenderIn(static_cast<SenderState>(row));
  if (row > kAllPosted) return SenderIn(static_cast<SenderState>(row - 2));
  HandoffSender sender = SenderIn(SenderState::kSending);
  if (row == kTokenKnown) sender.On(HandoffSender::FirstToken{7, false}, kStart);
  if (row == kAllPosted) sender.On(HandoffSender::Posted{1, 64, 22}, kStart);
  return sender;
}

/// As SenderTable() names them.
std::vector<HandoffSender::Event> AllEvents() {
  return {
      HandoffSender::SessionOpened{PiecePlan{64, 64}},
      HandoffSender::Granted{WholeGrant(), kPostUntil},
      HandoffSender::PagesReady{2},
      HandoffSender::FrontsReady{0, 64},
      HandoffSender::FirstToken{7, false},
      HandoffSender::FirstToken{7, true},
      HandoffSender::Renewed{kPostUntil},
      HandoffSender::LeaseUnknown{},
      HandoffSender::Posted{1, 64, 22},
      HandoffSender::WriteReported{true},
      HandoffSender::WriteReported{false},
      HandoffSender::PeerAborted{HandoffReason::kStall},
      HandoffSender::CommitAcked{true, {}},
      HandoffSender::CommitAcked{false, HandoffReason::kCorrupt},
      HandoffSender::Cancelled{HandoffReason::kCancelled},
      HandoffSender::SessionLost{},
      HandoffSender::Timer{},
  };
}

char LetterOf(SenderState state) { return "WOSCDF"[static_cast<int>(state)]; }

TEST(HandoffSenderTest, EveryRowAnswersEveryEventAsTheTableSays) {
  const MachineTable table = SenderTable();
  const std::vector<HandoffSender::Event> events = AllEvents();
  ASSERT_EQ(table.events.size(), events.size());
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    for (std::size_t column = 0; column < events.size(); ++column) {
      const char expected = table.rows[row].next[column];
      if (expected == '-') continue;
      HandoffSender sender = SenderOfRow(row);
      ASSERT_EQ(LetterOf(sender.state()), table.rows[row].state);
      const bool is_timer = std::holds_alternative<HandoffSender::Timer>(events[column]);
      const Instant now = is_timer && sender.due() != kNever ? sender.due() : kStart;
      sender.On(events[column], now);
      EXPECT_EQ(LetterOf(sender.state()), expected)
          << table.rows[row].name << ": " << table.events[column];
    }
  }
}

TEST(HandoffSenderTest, EveryPairOfEventsEndsOnceAndSettlesOnceAndOnlyWhenDrained) {
  const MachineTable table = SenderTable();
  const std::vector<HandoffSender::Event> events = AllEvents();
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    for (std::size_t first = 0; first < events.size(); ++first) {
      for (std::size_t second = 0; second < events.size(); ++second) {
        HandoffSender sender = SenderOfRow(row);
        const bool was_over = sender.terminal();
        int ended = was_over ? 1 : 0;
        int settled = 0;
        const auto give = [&](const HandoffSender::Event& event) {
          const bool posts = std::holds_alternative<HandoffSender::Posted>(event);
          PieceToSend piece;
          if (posts && !sender.NextPiece(0, kStart, piece)) return;
          const bool reports = std::holds_alternative<HandoffSender::WriteReported>(event);
          if (reports && sender.writes_open() == 0) return;
          for (const SenderAction action : sender.On(event, kStart)) {
            if (action == SenderAction::kNotifyEnded) ++ended;
            if (action == SenderAction::kNotifySettled) {
              ++settled;
              EXPECT_EQ(sender.writes_open(), 0U);
            }
          }
        };
        give(events[first]);
        give(events[second]);
        give(HandoffSender::SessionLost{});
        while (sender.writes_open() > 0) give(HandoffSender::WriteReported{false});
        const std::string what = absl::StrCat(table.rows[row].name, ": ", table.events[first], ", ",
                                              table.events[second]);
        EXPECT_EQ(ended, 1) << what;
        EXPECT_EQ(settled, 1) << what;
      }
    }
  }
}

TEST(HandoffSenderTest, AGrantThatDoesNotFitThePromptIsRefused) {
  std::vector<GrantMessage> grants(6, WholeGrant());
  grants[0].runs = {{0, 8, 3}};  // more pages than the prompt has
  grants[1].runs = {{0, 8, 1}};  // final, and one short
  grants[2].first_page = 3;      // beyond the prompt
  grants[3].lease = LeaseId{0};
  grants[4].number = 1;                               // not the first
  grants[5].runs = {{0, 8, 0xffffffffU}, {0, 8, 3}};  // a sum that wraps in 32 bits
  for (const GrantMessage& grant : grants) {
    HandoffSender sender = SenderIn(SenderState::kOffered);
    sender.On(HandoffSender::Granted{grant, kPostUntil}, kStart);
    EXPECT_EQ(sender.state(), SenderState::kFailed);
    EXPECT_EQ(sender.reason(), HandoffReason::kProtocol);
  }
}

TEST(HandoffSenderTest, AGrantOfAnotherAttemptChangesNothing) {
  HandoffSender sender = SenderIn(SenderState::kOffered);
  GrantMessage grant = WholeGrant();
  grant.attempt = 2;
  EXPECT_TRUE(sender.On(HandoffSender::Granted{grant, kPostUntil}, kStart).empty());
  EXPECT_EQ(sender.state(), SenderState::kOffered);
}

TEST(HandoffSenderTest, NothingIsPostedFromPostUntilOn) {
  HandoffSender sender = SenderIn(SenderState::kSending);
  PieceToSend piece;
  EXPECT_TRUE(sender.NextPiece(0, kPostUntil - Milliseconds(1), piece));
  EXPECT_EQ(piece.page, 1U);
  EXPECT_FALSE(sender.NextPiece(0, kPostUntil, piece));
  EXPECT_FALSE(sender.NextPiece(1, kStart, piece));  // beyond the prompt
}

TEST(HandoffSenderTest, ALateGrantIsAnsweredOnceDrained) {
  HandoffSender sender = SenderIn(SenderState::kFailed);
  EXPECT_TRUE(sender.On(HandoffSender::Granted{WholeGrant(), kPostUntil}, kStart).empty());
  const SenderActions actions = sender.On(HandoffSender::WriteReported{true}, kStart);
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(actions[0], SenderAction::kSendAbortAck);
  EXPECT_EQ(actions[1], SenderAction::kNotifySettled);
}

TEST(HandoffSenderTest, TheCommitSaysWhatWasPosted) {
  const HandoffSender sender = SenderIn(SenderState::kCommitting);
  const CommitMessage commit = sender.commit();
  EXPECT_EQ(commit.lease, LeaseId{5});
  EXPECT_EQ(commit.pages, 2U);
  EXPECT_EQ(commit.tokens, 100U);
  EXPECT_EQ(commit.bytes, 128U);
  EXPECT_EQ(commit.digest, 33U);
  EXPECT_EQ(commit.first_token, 7);
}

}  // namespace
}  // namespace baton
