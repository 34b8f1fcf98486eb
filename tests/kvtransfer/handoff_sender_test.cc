// The sender's machine: every (state, event) pair against one table, which docs/handoff.md shows.
#include "kvtransfer/handoff_sender.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

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

struct NamedEvent {
  const char* name;
  HandoffSender::Event event;
};

std::vector<NamedEvent> AllEvents() {
  return {
      {"session opened", HandoffSender::SessionOpened{PiecePlan{64, 64}}},
      {"grant", HandoffSender::Granted{WholeGrant(), kPostUntil}},
      {"pages ready", HandoffSender::PagesReady{2}},
      {"first token", HandoffSender::FirstToken{7, false}},
      {"first token ends", HandoffSender::FirstToken{7, true}},
      {"renewed", HandoffSender::Renewed{kPostUntil}},
      {"lease unknown", HandoffSender::LeaseUnknown{}},
      {"posted", HandoffSender::Posted{1, 64, 22}},
      {"write reported", HandoffSender::WriteReported{true}},
      {"write failed", HandoffSender::WriteReported{false}},
      {"abort", HandoffSender::PeerAborted{HandoffReason::kStall}},
      {"commit ack", HandoffSender::CommitAcked{true, {}}},
      {"commit refused", HandoffSender::CommitAcked{false, HandoffReason::kCorrupt}},
      {"cancel", HandoffSender::Cancelled{HandoffReason::kCancelled}},
      {"session lost", HandoffSender::SessionLost{}},
      {"timer", HandoffSender::Timer{}},
  };
}

// The state that each event leads to: Waiting, Offered, Sending, Committing, Done, Failed; '-'
// where the event cannot come (our own side breaks its contract). Columns as in AllEvents.
constexpr std::array<const char*, kSenderStates> kTable = {
    // o g p t e r u P w f a c x C l T
    "OWWWFWW---FWWFFF",  // kWaiting
    "OSOOFOO---FOOFFF",  // kOffered
    "SSSSFSFSSFFSSFFF",  // kSending
    "CCCCCCF-CFFDFCFF",  // kCommitting
    "DDDDDDD-DDDDDDDD",  // kComplete
    "FFFFFFF-FFFFFFFF",  // kFailed
};

char LetterOf(SenderState state) { return "WOSCDF"[static_cast<int>(state)]; }

TEST(HandoffSenderTest, EveryStateAnswersEveryEventAsTheTableSays) {
  const std::vector<NamedEvent> events = AllEvents();
  for (int row = 0; row < kSenderStates; ++row) {
    ASSERT_EQ(std::string(kTable[static_cast<std::size_t>(row)]).size(), events.size());
    for (std::size_t column = 0; column < events.size(); ++column) {
      const char expected = kTable[static_cast<std::size_t>(row)][column];
      if (expected == '-') continue;
      HandoffSender sender = SenderIn(static_cast<SenderState>(row));
      ASSERT_EQ(LetterOf(sender.state()), "WOSCDF"[row]);
      const bool is_timer = std::holds_alternative<HandoffSender::Timer>(events[column].event);
      const Instant now = is_timer && sender.due() != kNever ? sender.due() : kStart;
      sender.On(events[column].event, now);
      EXPECT_EQ(LetterOf(sender.state()), expected)
          << "state " << row << ", " << events[column].name;
    }
  }
}

TEST(HandoffSenderTest, EveryPairOfEventsEndsOnceAndSettlesOnceAndOnlyWhenDrained) {
  const std::vector<NamedEvent> events = AllEvents();
  for (int row = 0; row < kSenderStates; ++row) {
    for (const NamedEvent& first : events) {
      for (const NamedEvent& second : events) {
        HandoffSender sender = SenderIn(static_cast<SenderState>(row));
        const bool was_over = sender.terminal();
        int ended = was_over ? 1 : 0;
        int settled = 0;
        const auto give = [&](const HandoffSender::Event& event) {
          const bool posts = std::holds_alternative<HandoffSender::Posted>(event);
          if (posts && sender.state() != SenderState::kSending) return;
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
        give(first.event);
        give(second.event);
        give(HandoffSender::SessionLost{});
        while (sender.writes_open() > 0) give(HandoffSender::WriteReported{false});
        EXPECT_EQ(ended, 1) << row << " " << first.name << ", " << second.name;
        EXPECT_EQ(settled, 1) << row << " " << first.name << ", " << second.name;
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
