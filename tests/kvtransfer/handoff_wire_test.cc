#include "kvtransfer/handoff_wire.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace baton {
namespace {

const HandoffHeader kHeader{SessionId{0x1122334455667788U}, 7, 1ULL << 40};

std::vector<HandoffMessage> OneOfEach() {
  HelloMessage hello;
  hello.nonce = 0xdeadbeefcafef00dU;
  hello.introduction = {1, 2, 255};
  hello.worker_id = "prefill-0";
  hello.incarnation = Incarnation{5};
  hello.expected_incarnation = Incarnation{6};
  hello.transfer_address = std::string("a\0b", 3);
  hello.fingerprint = {9, 8, 7};
  hello.fields = {{"layers", "3"}, {"kv_dtype", "bf16"}};
  hello.frame_bytes_max = 262144;
  HelloAckMessage ack;
  ack.nonce = 1;
  ack.incarnation = Incarnation{2};
  ack.arenas = {{0, 4096, 100, 2048}};
  ack.window_bytes = 1 << 24;
  ack.ttl_ms = 5000;
  ack.renew_ms = 1000;
  HelloAckMessage refusal;
  refusal.refused = true;
  refusal.refusal = {HandoffReason::kRefused, "kv_dtype", "bf16", "fp32"};
  GrantMessage grant;
  grant.handoff = HandoffId{3};
  grant.attempt = 2;
  grant.lease = LeaseId{4};
  grant.number = 1;
  grant.first_page = 5;
  grant.runs = std::vector<PageRun>(kGrantRunsMax, PageRun{0, 0xffffffffU, 0xffffffffU});
  grant.final = true;
  grant.renew_seen = 9;
  grant.ttl_ms = 5000;
  RenewMessage renew;
  renew.renew = 11;
  renew.leases = std::vector<LeaseId>(kRenewLeasesMax, LeaseId{~0ULL});
  return {hello,
          ack,
          refusal,
          OfferMessage{HandoffId{3}, {{1, 2}, 3}, 100, {4, 5}, 6, 7},
          grant,
          renew,
          RenewAckMessage{11, {LeaseId{1}, LeaseId{2}}, 1ULL << 50},
          CreditMessage{1ULL << 51},
          CommitMessage{LeaseId{1}, HandoffId{2}, 3, 4, 5, 6, 7, -1},
          CommitAckMessage{LeaseId{1}, false, HandoffReason::kCorrupt},
          AbortMessage{HandoffId{1}, 2, LeaseId{3}, HandoffReason::kNoRoom, true, 4},
          AbortAckMessage{LeaseId{8}},
          ByeMessage{HandoffReason::kDraining}};
}

TEST(HandoffWireTest, EveryMessageSurvivesTheRoundTrip) {
  std::vector<bool> seen(std::variant_size_v<HandoffMessage>);
  for (const HandoffMessage& message : OneOfEach()) {
    seen[message.index()] = true;
    const auto bytes = EncodeMessage(kHeader, message);
    ASSERT_TRUE(bytes.ok()) << message.index() << " " << bytes.status();
    ASSERT_LE(bytes->size(), kMessageBytesMax);
    const auto decoded = DecodeMessage(*bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->header.session, kHeader.session);
    EXPECT_EQ(decoded->header.sequence, kHeader.sequence);
    EXPECT_EQ(decoded->header.frames_before, kHeader.frames_before);
    ASSERT_EQ(decoded->message.index(), message.index());
    // The encoding is deterministic for these bodies, so equal bytes mean equal values.
    EXPECT_EQ(*EncodeMessage(kHeader, decoded->message), *bytes);
  }
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_TRUE(seen[i]) << "type " << i + 1;
}

TEST(HandoffWireTest, FieldsArriveWhereTheyBelong) {
  const auto bytes = EncodeMessage(kHeader, OneOfEach()[8]);
  const auto decoded = DecodeMessage(*bytes);
  const auto& commit = std::get<CommitMessage>(decoded->message);
  EXPECT_EQ(commit.lease, LeaseId{1});
  EXPECT_EQ(commit.handoff, HandoffId{2});
  EXPECT_EQ(commit.attempt, 3U);
  EXPECT_EQ(commit.pages, 4U);
  EXPECT_EQ(commit.tokens, 5U);
  EXPECT_EQ(commit.bytes, 6U);
  EXPECT_EQ(commit.digest, 7U);
  EXPECT_EQ(commit.first_token, -1);
}

TEST(HandoffWireTest, ListsBeyondTheirLimitsAreRefusedWhenEncoding) {
  GrantMessage grant;
  grant.runs.resize(kGrantRunsMax + 1);
  EXPECT_FALSE(EncodeMessage(kHeader, grant).ok());
  RenewMessage renew;
  renew.leases.resize(kRenewLeasesMax + 1);
  EXPECT_FALSE(EncodeMessage(kHeader, renew).ok());
  HelloMessage hello;
  hello.worker_id = std::string(kWorkerIdBytesMax + 1, 'w');
  EXPECT_FALSE(EncodeMessage(kHeader, hello).ok());
  hello.worker_id = "w";
  hello.transfer_address = std::string(9000, 'a');
  EXPECT_FALSE(EncodeMessage(kHeader, hello).ok());
}

TEST(HandoffWireTest, AnotherVersionTypeOrLengthIsAStatus) {
  const std::string good = *EncodeMessage(kHeader, ByeMessage{HandoffReason::kDraining});
  std::string bad = good;
  bad[0] = 2;
  EXPECT_TRUE(absl::IsUnimplemented(DecodeMessage(bad).status()));
  bad = good;
  bad[2] = 99;
  EXPECT_FALSE(DecodeMessage(bad).ok());
  bad = good;
  bad[2] = 0;
  EXPECT_FALSE(DecodeMessage(bad).ok());
  EXPECT_FALSE(DecodeMessage(good + "x").ok());
  EXPECT_FALSE(DecodeMessage(absl::string_view(good).substr(0, 31)).ok());
  EXPECT_FALSE(DecodeMessage("").ok());
  EXPECT_FALSE(DecodeMessage(std::string(kMessageBytesMax + 1, '\0')).ok());
}

TEST(HandoffWireTest, AReasonOutOfRangeIsAStatus) {
  std::string bytes = *EncodeMessage(kHeader, ByeMessage{HandoffReason::kDraining});
  bytes.back() = 127;
  EXPECT_FALSE(DecodeMessage(bytes).ok());
}

TEST(HandoffWireTest, AnyBytesAreAValueOrAStatus) {
  std::mt19937_64 random(20240607);
  const std::vector<HandoffMessage> messages = OneOfEach();
  int values = 0;
  int refusals = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = *EncodeMessage(kHeader, messages[random() % messages.size()]);
    const int flips = static_cast<int>(random() % 6);
    for (int i = 0; i < flips; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 8 == 0) bytes.resize(random() % (bytes.size() + 1));
    const auto decoded = DecodeMessage(bytes);
    ++(decoded.ok() ? values : refusals);
    EXPECT_TRUE(!decoded.ok() || EncodeMessage(decoded->header, decoded->message).ok());
  }
  EXPECT_GT(values, 1000);
  EXPECT_GT(refusals, 1000);
}

TEST(HandoffReasonTest, EveryReasonHasWordsAndAnOutcome) {
  for (std::uint32_t i = 0; i < kHandoffReasons; ++i) {
    const auto reason = static_cast<HandoffReason>(i);
    EXPECT_STRNE(ToString(reason), "");
    EXPECT_STRNE(OutcomeOf(reason), "");
  }
  EXPECT_STREQ(OutcomeOf(HandoffReason::kStall), "stall");
  EXPECT_FALSE(Retryable(HandoffReason::kKeysDiffer));
  EXPECT_TRUE(Retryable(HandoffReason::kCancelled));
  EXPECT_TRUE(Retryable(HandoffReason::kStale));
  EXPECT_TRUE(Retryable(HandoffReason::kPeerLost));
}

}  // namespace
}  // namespace baton
