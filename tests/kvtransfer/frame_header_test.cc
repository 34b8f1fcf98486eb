#include "kvtransfer/frame_header.h"

#include <gtest/gtest.h>

#include <array>

namespace baton {
namespace {

FrameHeader Sample() {
  FrameHeader header;
  header.session = static_cast<SessionId>(0x0102030405060708);
  header.lease = static_cast<LeaseId>(0x1112131415161718);
  header.sequence = 0x21222324;
  header.page = 0x31323334;
  header.piece = 0x0041;
  header.pieces = 0x0142;
  header.bytes = 0x00012000;
  header.crc32c = 0x61626364;
  return header;
}

std::array<std::byte, kFrameHeaderBytes> Encoded(const FrameHeader& header) {
  std::array<std::byte, kFrameHeaderBytes> out{};
  EncodeFrameHeader(header, out);
  return out;
}

TEST(FrameHeaderTest, BytesStandWhereTheFormatSays) {
  const auto bytes = Encoded(Sample());
  EXPECT_EQ(bytes[0], std::byte{0x08});
  EXPECT_EQ(bytes[7], std::byte{0x01});
  EXPECT_EQ(bytes[8], std::byte{0x18});
  EXPECT_EQ(bytes[16], std::byte{0x24});
  EXPECT_EQ(bytes[20], std::byte{0x34});
  EXPECT_EQ(bytes[24], std::byte{0x41});
  EXPECT_EQ(bytes[26], std::byte{0x42});
  EXPECT_EQ(bytes[29], std::byte{0x20});
  EXPECT_EQ(bytes[35], std::byte{0x61});
  EXPECT_EQ(bytes[39], std::byte{0});
}

TEST(FrameHeaderTest, WhatWasWrittenIsRead) {
  const auto read = DecodeFrameHeader(Encoded(Sample()));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(Encoded(*read), Encoded(Sample()));
  EXPECT_EQ(read->session, Sample().session);
  EXPECT_EQ(read->pieces, Sample().pieces);
}

TEST(FrameHeaderTest, WhatCannotBeAFrameIsRefused) {
  auto bytes = Encoded(Sample());
  EXPECT_FALSE(DecodeFrameHeader(std::span(bytes).first(39)).has_value());
  bytes[36] = std::byte{1};
  EXPECT_FALSE(DecodeFrameHeader(bytes).has_value()) << "reserved";

  FrameHeader header = Sample();
  header.bytes = 0;
  EXPECT_FALSE(DecodeFrameHeader(Encoded(header)).has_value()) << "empty";
  header.bytes = kFrameBytesMax + 1;
  EXPECT_FALSE(DecodeFrameHeader(Encoded(header)).has_value()) << "too large";
  header = Sample();
  header.piece = header.pieces;
  EXPECT_FALSE(DecodeFrameHeader(Encoded(header)).has_value()) << "no such piece";
}

}  // namespace
}  // namespace baton
