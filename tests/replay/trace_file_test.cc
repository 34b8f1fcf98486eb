#include "tests/replay/trace_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/replay/trace_generator.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

std::string MessageFor(const std::string& text) {
  return std::string(ParseTrace("day.jsonl", text).status().message());
}

constexpr const char* kGood =
    R"({"timestamp": 3000, "input_length": 513, "output_length": 2, "hash_ids": [0, 7]})";

TEST(TraceFileTest, AMalformedLineIsNamedByFileAndNumber) {
  const std::string good = std::string(kGood) + "\n";
  EXPECT_THAT(MessageFor(good + "{"), HasSubstr("day.jsonl:2: "));
  EXPECT_THAT(MessageFor(good + "[]"), HasSubstr("day.jsonl:2: want an object"));
  EXPECT_THAT(MessageFor(R"({"timestamp": 0})"), HasSubstr("input_length is missing"));
  EXPECT_THAT(MessageFor(R"({"timestamp": -1, "input_length": 1, "output_length": 1})"),
              HasSubstr("timestamp: want an integer"));
  EXPECT_THAT(MessageFor(R"({"timestamp": 0, "input_length": 0, "output_length": 1})"),
              HasSubstr("input_length: want an integer from 1"));
  EXPECT_THAT(
      MessageFor(R"({"timestamp": 0, "input_length": 513, "output_length": 1, "hash_ids": [1]})"),
      HasSubstr("1 ids, but input_length 513 is 2 blocks"));
  EXPECT_THAT(
      MessageFor(R"({"timestamp": 0, "input_length": 5, "output_length": 1, "hash_ids": ["a"]})"),
      HasSubstr("hash_ids: want integers"));
  EXPECT_THAT(MessageFor(good + R"({"timestamp": 0, "input_length": 5, "output_length": 1, )" +
                         R"("hash_ids": [1]})"),
              HasSubstr("day.jsonl:2: timestamp: before"));
  EXPECT_THAT(MessageFor("\n"), HasSubstr("no requests"));
}

TEST(TraceFileTest, AFullBlockIsSeveralPagesAndAPartialOneNone) {
  const Trace trace = *ParseTrace("", kGood);
  EXPECT_EQ(trace[0].seconds, 3);
  EXPECT_EQ(TraceKeys(trace[0], 512).size(), 1U);
  EXPECT_EQ(TraceKeys(trace[0], 64).size(), 8U);
  TraceRequest other = trace[0];
  other.input_tokens = 1024;
  EXPECT_EQ(TraceKeys(other, 64).size(), 16U);
  EXPECT_EQ(TraceKeys(other, 64)[7], TraceKeys(trace[0], 64)[7]);
}

TEST(TraceFileTest, TheGeneratedTraceResemblesTheRecordedOne) {
  const Trace trace = GenerateConversations(1);
  double input = 0;
  double seen_before = 0;
  double blocks = 0;
  std::set<std::uint64_t> seen;
  std::map<std::uint64_t, std::uint64_t> parents;
  for (const TraceRequest& request : trace) {
    input += request.input_tokens;
    blocks += static_cast<double>(request.blocks.size());
    std::uint64_t parent = 0;
    for (std::size_t i = 0; i < request.blocks.size(); ++i) {
      const std::uint64_t block = request.blocks[i];
      seen_before += seen.insert(block).second ? 0 : 1;
      if (i > 0) {
        ASSERT_EQ(parents.try_emplace(block, parent).first->second, parent);
      }
      parent = block;
    }
    ASSERT_EQ(request.blocks[0], 0U);
    ASSERT_EQ(static_cast<int>(request.blocks.size()), (request.input_tokens + 511) / 512);
  }
  EXPECT_EQ(trace.size(), 12'031U);
  EXPECT_NEAR(input / 12'031, 12'035, 1'200);
  EXPECT_NEAR(seen_before / blocks, 0.366, 0.04);
}

}  // namespace
}  // namespace baton
