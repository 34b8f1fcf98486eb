// What every Transport promises (kvtransfer/transport.h), as one suite over a factory of connected
// pairs. Each implementation's test includes this once and instantiates TransportConformanceTest.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kvtransfer/copy_crc.h"
#include "kvtransfer/transport.h"

namespace baton {

/// Two transports that can reach each other, in this process.
class TransportPair {
 public:
  virtual ~TransportPair() = default;
  virtual Transport& sender() = 0;
  virtual Transport& receiver() = 0;
  /// Destroys the receiver, as a dead process would.
  virtual void LoseReceiver() = 0;
};
using TransportPairFactory = std::unique_ptr<TransportPair> (*)();

/// Gives each ordinal a slot of its own, unless told to refuse it.
class RecordingSink : public FrameSink {
 public:
  explicit RecordingSink(std::size_t slots) : memory_(slots * kFrameBytesMax, std::byte{0xee}) {}

  std::byte* Admit(const FrameHeader& header) override {
    EXPECT_FALSE(landing_) << "a landing was in progress";
    ++offered_;
    if (header.page >= memory_.size() / kFrameBytesMax || refuses_) return nullptr;
    landing_ = true;
    return Slot(header.page);
  }
  void Landed(const FrameHeader& header, bool checksum_agrees) override {
    landing_ = false;
    ++landed_;
    agreed_ += checksum_agrees ? 1 : 0;
    headers_.push_back(header);
  }

  std::byte* Slot(std::size_t i) { return memory_.data() + i * kFrameBytesMax; }
  void set_refuses(bool refuses) { refuses_ = refuses; }
  std::size_t offered() const { return offered_; }
  std::size_t landed() const { return landed_; }
  std::size_t agreed() const { return agreed_; }
  bool landing() const { return landing_; }
  const std::vector<FrameHeader>& headers() const { return headers_; }

 private:
  std::vector<std::byte> memory_;
  std::vector<FrameHeader> headers_;
  std::size_t offered_ = 0;
  std::size_t landed_ = 0;
  std::size_t agreed_ = 0;
  bool landing_ = false;
  bool refuses_ = false;
};

class TransportConformanceTest : public testing::TestWithParam<TransportPairFactory> {
 protected:
  void SetUp() override {
    pair_ = GetParam()();
    ASSERT_NE(pair_, nullptr);
    receiver_lives_ = true;
    pair_->receiver().SetSink(&sink_);
    const auto peer = pair_->sender().Connect(pair_->receiver().address());
    ASSERT_TRUE(peer.ok()) << peer.status();
    peer_ = *peer;
  }
  void TearDown() override {
    if (pair_ != nullptr && receiver_lives_) pair_->receiver().SetSink(nullptr);
    pair_.reset();
  }

  /// Polls both ends until `done`, at most ten seconds.
  bool PollUntil(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      PollSender();
      if (receiver_lives_) PollReceiver();
    }
    return true;
  }
  void PollSender() {
    std::vector<TransportEvent> events;
    pair_->sender().Poll(events);
    for (const TransportEvent& event : events) Note(event);
  }
  void PollReceiver() {
    std::vector<TransportEvent> events;
    pair_->receiver().Poll(events);
    EXPECT_FALSE(sink_.landing());
    for (const TransportEvent& event : events) {
      if (const auto* message = std::get_if<MessageReceived>(&event)) {
        messages_.push_back(message->payload);
        offered_at_message_.push_back(sink_.offered());
      }
    }
  }
  void Note(const TransportEvent& event) {
    if (const auto* done = std::get_if<WriteDone>(&event)) {
      EXPECT_FALSE(lost_) << "a report after PeerLost";
      ++reports_[done->tag];
      failed_reports_ += done->status.ok() ? 0 : 1;
    }
    if (const auto* lost = std::get_if<PeerLost>(&event); lost != nullptr && lost->peer == peer_) {
      EXPECT_FALSE(lost_) << "lost twice";
      lost_ = true;
    }
  }

  FrameWrite FrameOf(std::uint32_t page, std::size_t bytes) {
    std::vector<std::byte>& source = sources_.emplace_back(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
      source[i] = static_cast<std::byte>(i * 131 + page * 17 + bytes);
    }
    FrameWrite write;
    write.header.session = SessionId{0xabcdef0123456789U};
    write.header.lease = LeaseId{3};
    write.header.sequence = page;
    write.header.page = page;
    write.header.piece = 1;
    write.header.pieces = 2;
    write.header.bytes = static_cast<std::uint32_t>(bytes);
    write.header.crc32c = Crc32c(source.data(), bytes);
    write.source = source.data();
    return write;
  }
  /// Posts, polling while the transport has no room.
  absl::Status WriteOne(const FrameWrite& frame, std::uint64_t tag) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    for (;;) {
      const absl::Status status = pair_->sender().Write(peer_, {&frame, 1}, tag);
      const bool late = std::chrono::steady_clock::now() > end;
      if (!absl::IsResourceExhausted(status) || late) return status;
      PollSender();
      PollReceiver();
    }
  }
  bool SlotHolds(const FrameWrite& frame) {
    return std::memcmp(sink_.Slot(frame.header.page), frame.source, frame.header.bytes) == 0;
  }

  std::unique_ptr<TransportPair> pair_;
  bool receiver_lives_ = false;
  PeerId peer_{};
  RecordingSink sink_{32};
  std::deque<std::vector<std::byte>> sources_;
  std::vector<std::string> messages_;
  std::vector<std::size_t> offered_at_message_;
  std::map<std::uint64_t, int> reports_;
  int failed_reports_ = 0;
  bool lost_ = false;
};

TEST_P(TransportConformanceTest, FramesOfEveryLengthLandWholeWithTheirHeaders) {
  const std::vector<std::size_t> lengths = {
      1,    2,    3,    7,     8,     63,    64,    65,     100,    1023,   4095,  4096,
      4097, 8191, 8192, 32768, 65535, 65536, 73728, 131072, 200001, 262143, 262144};
  std::vector<FrameWrite> frames;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    frames.push_back(FrameOf(static_cast<std::uint32_t>(i), lengths[i]));
    ASSERT_TRUE(WriteOne(frames.back(), i).ok());
  }
  ASSERT_TRUE(PollUntil(
      [&] { return sink_.landed() == lengths.size() && reports_.size() == lengths.size(); }));
  EXPECT_EQ(sink_.agreed(), lengths.size());
  for (const FrameWrite& frame : frames) EXPECT_TRUE(SlotHolds(frame)) << frame.header.bytes;
  for (const FrameHeader& header : sink_.headers()) {
    const FrameHeader& sent = frames[header.page].header;
    EXPECT_EQ(header.session, sent.session);
    EXPECT_EQ(header.lease, sent.lease);
    EXPECT_EQ(header.sequence, sent.sequence);
    EXPECT_EQ(header.piece, sent.piece);
    EXPECT_EQ(header.pieces, sent.pieces);
    EXPECT_EQ(header.bytes, sent.bytes);
    EXPECT_EQ(header.crc32c, sent.crc32c);
  }
}

TEST_P(TransportConformanceTest, OneWriteOfSeveralFramesReportsOnce) {
  const std::vector<FrameWrite> frames = {FrameOf(0, 1000), FrameOf(1, 70000), FrameOf(2, 1)};
  ASSERT_TRUE(pair_->sender().Write(peer_, frames, 5).ok());
  ASSERT_TRUE(PollUntil([&] { return sink_.landed() == 3 && reports_.size() == 1; }));
  EXPECT_EQ(reports_[5], 1);
}

TEST_P(TransportConformanceTest, NothingLandsOutsidePoll) {
  const FrameWrite frame = FrameOf(0, 5000);
  ASSERT_TRUE(WriteOne(frame, 1).ok());
  ASSERT_TRUE(pair_->sender().Send(peer_, "behind it").ok());
  for (int i = 0; i < 100; ++i) PollSender();
  EXPECT_EQ(sink_.offered(), 0U);
  EXPECT_EQ(*sink_.Slot(0), std::byte{0xee});
  ASSERT_TRUE(PollUntil([&] { return messages_.size() == 1; }));
  EXPECT_EQ(sink_.landed(), 1U);
}

TEST_P(TransportConformanceTest, APollLandsABoundedNumberOfFrames) {
  std::vector<FrameWrite> frames;
  for (std::uint32_t i = 0; i < 200; ++i) {
    FrameWrite frame = FrameOf(i % 32, 64);
    ASSERT_TRUE(WriteOne(frame, i).ok());
  }
  std::size_t before = sink_.offered();
  ASSERT_TRUE(PollUntil([&] {
    EXPECT_LE(sink_.offered() - before, 64U);
    before = sink_.offered();
    return sink_.offered() == 200;
  }));
}

TEST_P(TransportConformanceTest, MessagesComeOnceAndInOrder) {
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 300; ++i) {
    sent.push_back(std::string(1 + (i * 911) % kMessageBytesMax, static_cast<char>('a' + i % 26)));
    sent.back().append(std::to_string(i));
    if (sent.back().size() > kMessageBytesMax) sent.back().resize(kMessageBytesMax);
    absl::Status status = pair_->sender().Send(peer_, sent.back());
    for (int tries = 0; absl::IsResourceExhausted(status) && tries < 100000; ++tries) {
      PollSender();
      PollReceiver();
      status = pair_->sender().Send(peer_, sent.back());
    }
    ASSERT_TRUE(status.ok()) << status;
  }
  ASSERT_TRUE(PollUntil([&] { return messages_.size() >= sent.size(); }));
  EXPECT_EQ(messages_, sent);
}

TEST_P(TransportConformanceTest, AMessageComesAfterEveryFramePostedBeforeIt) {
  std::vector<std::size_t> posted;
  for (std::uint32_t i = 0; i < 120; ++i) {
    const std::size_t bytes = i % 3 == 0 ? 1 + i : (i % 3 == 1 ? 73728 : 262144);
    ASSERT_TRUE(WriteOne(FrameOf(i % 32, bytes), i).ok());
    if (i % 4 != 3) continue;
    posted.push_back(i + 1);
    ASSERT_TRUE(pair_->sender().Send(peer_, "m").ok());
  }
  ASSERT_TRUE(PollUntil([&] { return messages_.size() == posted.size(); }));
  for (std::size_t i = 0; i < posted.size(); ++i) EXPECT_GE(offered_at_message_[i], posted[i]);
}

TEST_P(TransportConformanceTest, RefusedFramesChangeNothingAndAreReportedLikeOthers) {
  sink_.set_refuses(true);
  for (std::uint32_t i = 0; i < 10; ++i) ASSERT_TRUE(WriteOne(FrameOf(i, 70000), i).ok());
  ASSERT_TRUE(pair_->sender().Send(peer_, "behind them").ok());
  ASSERT_TRUE(PollUntil([&] { return messages_.size() == 1 && reports_.size() == 10; }));
  EXPECT_EQ(sink_.offered(), 10U);
  EXPECT_EQ(sink_.landed(), 0U);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(*sink_.Slot(i), std::byte{0xee});
}

TEST_P(TransportConformanceTest, WithoutASinkEveryFrameIsRefused) {
  pair_->receiver().SetSink(nullptr);
  ASSERT_TRUE(WriteOne(FrameOf(0, 1000), 1).ok());
  ASSERT_TRUE(pair_->sender().Send(peer_, "behind it").ok());
  ASSERT_TRUE(PollUntil([&] { return messages_.size() == 1 && reports_.size() == 1; }));
  EXPECT_EQ(sink_.offered(), 0U);
}

TEST_P(TransportConformanceTest, AWrongChecksumIsTold) {
  FrameWrite frame = FrameOf(0, 4096);
  frame.header.crc32c ^= 1;
  ASSERT_TRUE(WriteOne(frame, 1).ok());
  ASSERT_TRUE(PollUntil([&] { return sink_.landed() == 1; }));
  EXPECT_EQ(sink_.agreed(), 0U);
}

TEST_P(TransportConformanceTest, RangesAreCheckedWhenPosted) {
  FrameWrite frame = FrameOf(0, 16);
  EXPECT_TRUE(absl::IsInvalidArgument(pair_->sender().Write(peer_, {}, 1)));
  frame.header.bytes = 0;
  EXPECT_TRUE(absl::IsInvalidArgument(pair_->sender().Write(peer_, {&frame, 1}, 2)));
  frame.header.bytes = kFrameBytesMax + 1;
  EXPECT_TRUE(absl::IsInvalidArgument(pair_->sender().Write(peer_, {&frame, 1}, 3)));
  frame.header.bytes = 16;
  frame.source = nullptr;
  EXPECT_TRUE(absl::IsInvalidArgument(pair_->sender().Write(peer_, {&frame, 1}, 4)));
  EXPECT_TRUE(absl::IsInvalidArgument(pair_->sender().Send(peer_, "")));
  EXPECT_TRUE(
      absl::IsInvalidArgument(pair_->sender().Send(peer_, std::string(kMessageBytesMax + 1, 'x'))));
  for (int i = 0; i < 10; ++i) PollSender();
  EXPECT_TRUE(reports_.empty());
}

TEST_P(TransportConformanceTest, WhatIsNotAnAddressIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(pair_->sender().Connect("").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(pair_->sender().Connect(std::string(9000, 'x')).status()));
}

TEST_P(TransportConformanceTest, AClosedPeerReportsEveryWriteOnceAndTakesNoMore) {
  for (std::uint32_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(pair_->sender().Write(peer_, std::vector<FrameWrite>{FrameOf(i, 65536)}, i).ok());
  }
  pair_->sender().Close(peer_);
  pair_->sender().Close(peer_);
  const FrameWrite frame = FrameOf(0, 16);
  EXPECT_TRUE(absl::IsUnavailable(pair_->sender().Write(peer_, {&frame, 1}, 99)));
  EXPECT_TRUE(absl::IsUnavailable(pair_->sender().Send(peer_, "late")));
  ASSERT_TRUE(PollUntil([&] { return reports_.size() == 20; }));
  for (int i = 0; i < 50; ++i) PollSender();
  for (const auto& [tag, count] : reports_) EXPECT_EQ(count, 1) << tag;
}

TEST_P(TransportConformanceTest, ALostPeerReportsEveryWriteOnceAndThenIsSilent) {
  for (std::uint32_t i = 0; i < 20; ++i) {
    ASSERT_TRUE(pair_->sender().Write(peer_, std::vector<FrameWrite>{FrameOf(i, 65536)}, i).ok());
  }
  pair_->receiver().SetSink(nullptr);
  receiver_lives_ = false;
  pair_->LoseReceiver();
  ASSERT_TRUE(PollUntil([&] { return lost_; }));
  EXPECT_EQ(reports_.size(), 20U);
  for (int i = 0; i < 50; ++i) PollSender();
  for (const auto& [tag, count] : reports_) EXPECT_EQ(count, 1) << tag;
  const FrameWrite frame = FrameOf(0, 16);
  EXPECT_TRUE(absl::IsUnavailable(pair_->sender().Write(peer_, {&frame, 1}, 99)));
}

TEST_P(TransportConformanceTest, TheReceiverAnswersOnAnEndpointOfItsOwn) {
  const auto back = pair_->receiver().Connect(pair_->sender().address());
  ASSERT_TRUE(back.ok());
  ASSERT_TRUE(pair_->receiver().Send(*back, "answer").ok());
  std::vector<TransportEvent> events;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  bool answered = false;
  while (!answered && std::chrono::steady_clock::now() < end) {
    PollReceiver();
    events.clear();
    pair_->sender().Poll(events);
    for (const TransportEvent& event : events) {
      const auto* message = std::get_if<MessageReceived>(&event);
      answered = answered || (message != nullptr && message->payload == "answer");
    }
  }
  EXPECT_TRUE(answered);
}

TEST_P(TransportConformanceTest, AddressesAreShort) {
  EXPECT_GT(pair_->sender().address().size(), 0U);
  EXPECT_LE(pair_->sender().address().size(), 4096U);
}

}  // namespace baton
