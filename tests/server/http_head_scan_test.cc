// The strict scan of a request's head: incremental, and without a way past it.
#include "server/http/http_head_scan.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace baton {
namespace {

using Verdict = HeadScan::Verdict;

const std::string kHead =
    "POST /v1/completions HTTP/1.1\r\nHost: here\r\nContent-Length: 12\r\nX-Empty:\r\n\r\n";

TEST(HttpHeadScanTest, EveryPrefixOfAGoodHeadWantsMore) {
  for (std::size_t size = 0; size < kHead.size(); ++size) {
    EXPECT_EQ(ScanHead(kHead.substr(0, size), {}).verdict, Verdict::kNeedMore) << size;
  }
  const HeadScan scan = ScanHead(kHead + "body", {});
  EXPECT_EQ(scan.verdict, Verdict::kComplete);
  EXPECT_EQ(scan.head_bytes, kHead.size());
}

TEST(HttpHeadScanTest, TheLimitsHoldToTheByte) {
  HttpLimits limits;
  limits.request_line_bytes_max = 31;  // with its CR LF
  EXPECT_EQ(ScanHead(kHead, limits).verdict, Verdict::kComplete);
  limits.request_line_bytes_max = 30;
  EXPECT_EQ(ScanHead(kHead, limits).status, 414);
  limits = {};
  limits.head_bytes_max = kHead.size();
  EXPECT_EQ(ScanHead(kHead, limits).verdict, Verdict::kComplete);
  limits.head_bytes_max = kHead.size() - 1;
  EXPECT_EQ(ScanHead(kHead, limits).status, 431);
  limits = {};
  limits.head_fields_max = 3;
  EXPECT_EQ(ScanHead(kHead, limits).verdict, Verdict::kComplete);
  limits.head_fields_max = 2;
  EXPECT_EQ(ScanHead(kHead, limits).status, 431);
}

/// What must hold of every head that passes, however it came about.
void ExpectSound(const std::string& head) {
  int lengths = 0;
  for (std::size_t i = 0; i < head.size(); ++i) {
    EXPECT_NE(head[i], '\0');
    const char before = i > 0 ? head[i - 1] : ' ';
    const char after = i + 1 < head.size() ? head[i + 1] : '\n';
    if (head[i] == '\n') {
      EXPECT_EQ(before, '\r');
      EXPECT_NE(after, ' ');
    }
    if (head[i] == '\r') {
      EXPECT_EQ(after, '\n');
    }
    if (head.compare(i, 17, "\r\nContent-Length:") == 0) ++lengths;
  }
  EXPECT_LE(lengths, 1);
}

TEST(HttpHeadScanTest, WhatPassesIsSoundWhateverTheInput) {
  std::mt19937 random(11);
  const std::string pool[] = {"\r\n",
                              "\n",
                              "\r",
                              " ",
                              ":",
                              "Content-Length: 1\r\n",
                              "Transfer-Encoding: chunked\r\n",
                              std::string(1, '\0'),
                              "\x80",
                              "a"};
  int passed = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = kHead;
    for (unsigned change = 0; change < 1 + random() % 2; ++change) {
      const std::size_t at = random() % bytes.size();
      bytes.replace(at, random() % 2, pool[random() % std::size(pool)]);
    }
    const HeadScan scan = ScanHead(bytes, {});
    if (scan.verdict != Verdict::kComplete) continue;
    ++passed;
    ExpectSound(bytes.substr(0, scan.head_bytes));
  }
  EXPECT_GT(passed, 1000);
}

}  // namespace
}  // namespace baton
