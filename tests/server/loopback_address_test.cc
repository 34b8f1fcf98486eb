#include "server/loopback_address.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(LoopbackAddressTest, WhatIsNoHostAndPortIsRefused) {
  for (const char* text :
       {"", ":", "host", "host:", ":1", "host:0", "host:65536", "host:x", "[]:1"}) {
    EXPECT_EQ(ParseHostPort(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(LoopbackAddressTest, NamesAndBothKindsOfAddressesAreRead) {
  const auto v4 = ParseHostPort("127.0.0.1:7500");
  ASSERT_TRUE(v4.ok());
  EXPECT_EQ(v4->host, "127.0.0.1");
  EXPECT_EQ(v4->port, 7500);
  EXPECT_TRUE(v4->literal);
  const auto v6 = ParseHostPort("[::1]:7500");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_TRUE(v6->literal);
  const auto name = ParseHostPort("localhost:7500");
  ASSERT_TRUE(name.ok());
  EXPECT_FALSE(name->literal);
}

TEST(LoopbackAddressTest, AddressesOffLoopbackAreNamedInTheRefusal) {
  for (const char* host : {"0.0.0.0", "192.0.2.1", "::", "2001:db8::1", "126.255.255.255"}) {
    const absl::Status status = CheckLoopback(host);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << host;
    EXPECT_NE(std::string(status.message()).find(host), std::string::npos);
  }
  for (const char* host : {"127.0.0.1", "127.9.9.9", "::1", "some-name"}) {
    EXPECT_TRUE(CheckLoopback(host).ok()) << host;
  }
}

TEST(LoopbackAddressTest, AnAddressResolvesToItself) {
  const auto v4 = ResolveLoopback({.host = "127.0.0.1", .port = 7, .literal = true});
  ASSERT_TRUE(v4.ok());
  EXPECT_EQ(*v4, std::vector<std::string>{"127.0.0.1:7"});
  const auto v6 = ResolveLoopback({.host = "::1", .port = 7, .literal = true});
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(*v6, std::vector<std::string>{"[::1]:7"});
}

TEST(LoopbackAddressTest, ANameWithoutAddressIsUnavailable) {
  const auto none = ResolveLoopback({.host = "name.invalid", .port = 7});
  EXPECT_EQ(none.status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace baton
