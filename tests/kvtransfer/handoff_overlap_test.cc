// What travels while the prompt is still computed: whole pages a chunk, cached pages at the Grant,
// groups of layers in the last chunk; and what does not, where splitting costs more than it hides.
#include <gtest/gtest.h>

#include "tests/kvtransfer/handoff_pair.h"

namespace baton {
namespace {

const std::uint64_t kPageBytes = SmallLayout().PageBytes();

/// Groups of one layer of the two, whatever the length.
TransferLimits Split() {
  TransferLimits limits;
  limits.layer_group = 1;
  limits.overlap_tokens_min = 0;
  return limits;
}

void Open(HandoffPair& pair, const HandoffAsk& ask) {
  pair.Expect(ask);
  pair.Start(ask);
  pair.Run();
  pair.Grant(ask);
  pair.Run();
}

/// One step of pages [first, end), with rounds between its layers. Returns the bytes that had gone
/// before its last layer.
std::uint64_t ComputeByLayer(HandoffPair& pair, const HandoffAsk& ask, std::uint32_t first,
                             std::uint32_t end) {
  const bool last = end == HandoffPair::PagesOf(ask);
  pair.outbound->On(OutboundStep{++pair.step, {{HandoffPair::HandoffOf(ask), first, end, last}}},
                    pair.now);
  pair.FillSourceFront(first, end, SmallLayout().LayerBytes());
  pair.outbound->On(OutboundLayer{pair.step, 0}, pair.now);
  pair.Run();
  const std::uint64_t before = pair.outbound->stats().bytes_posted;
  pair.FillSource(first, end);
  pair.outbound->On(OutboundLayer{pair.step, 1}, pair.now);
  pair.Run();
  return before;
}

void ExpectWhole(const HandoffPair& pair, const HandoffAsk& ask) {
  ASSERT_EQ(pair.committed().size(), 1U);
  EXPECT_TRUE(pair.outbound->settled());
  for (std::uint32_t i = 0; i < HandoffPair::PagesOf(ask); ++i) {
    EXPECT_TRUE(i < ask.held_pages ? pair.TargetUntouched(i) : pair.TargetHolds(i)) << i;
  }
}

TEST(HandoffOverlapTest, LayersOfTheLastChunkGoWhileTheNextIsComputed) {
  HandoffPair pair(Split());
  const HandoffAsk ask{.tokens = 40};
  Open(pair, ask);
  EXPECT_EQ(ComputeByLayer(pair, ask, 0, 4), 0U);  // whole pages, at the end of the chunk
  EXPECT_EQ(pair.outbound->stats().bytes_posted, 4 * kPageBytes);
  const std::uint64_t before_last_layer = ComputeByLayer(pair, ask, 4, 10);
  EXPECT_EQ(before_last_layer, (4 + 3) * kPageBytes);  // half of the last six pages
  EXPECT_EQ(pair.outbound->stats().bytes_posted, 10 * kPageBytes);
  pair.Token(ask, 42);
  pair.Run();
  ExpectWhole(pair, ask);
}

TEST(HandoffOverlapTest, CachedPagesGoAtTheGrant) {
  HandoffPair pair(Split());
  const HandoffAsk ask{.tokens = 40, .ready_pages = 3};
  Open(pair, ask);
  EXPECT_EQ(pair.outbound->stats().bytes_posted, 3 * kPageBytes);
}

TEST(HandoffOverlapTest, WithoutItNothingGoesBeforeThePromptIsComputed) {
  TransferLimits limits = Split();
  limits.overlap = false;
  HandoffPair pair(limits);
  const HandoffAsk ask{.tokens = 40, .ready_pages = 3};
  Open(pair, ask);
  EXPECT_EQ(ComputeByLayer(pair, ask, 3, 6), 0U);
  EXPECT_EQ(ComputeByLayer(pair, ask, 6, 10), 0U);
  EXPECT_EQ(pair.outbound->stats().bytes_posted, 10 * kPageBytes);
  pair.Token(ask, 42);
  pair.Run();
  ExpectWhole(pair, ask);
}

TEST(HandoffOverlapTest, ALastChunkOfFewTokensGoesAtOnce) {
  TransferLimits limits = Split();
  for (const std::uint32_t least : {24U, 25U}) {
    limits.overlap_tokens_min = least;
    HandoffPair pair(limits);
    const HandoffAsk ask{.tokens = 40};
    Open(pair, ask);
    ComputeByLayer(pair, ask, 0, 4);
    const std::uint64_t before = ComputeByLayer(pair, ask, 4, 10);  // 24 tokens
    EXPECT_EQ(before, (least == 24 ? 7 : 4) * kPageBytes);
  }
}

TEST(HandoffOverlapTest, ALastChunkThatTheWireCarriesInNoTimeGoesAtOnce) {
  TransferLimits limits = Split();
  limits.window_bytes_min = kPageBytes;  // the rate is known soon
  for (const bool quick : {true, false}) {
    limits.overlap_wire_min = quick ? Milliseconds(2) : Duration{1};
    HandoffPair pair(limits);
    const HandoffAsk ask{.tokens = 80};
    Open(pair, ask);
    ComputeByLayer(pair, ask, 0, 14);  // its credits show the rate
    const std::uint64_t before = ComputeByLayer(pair, ask, 14, 20);
    EXPECT_EQ(before, (quick ? 14 : 17) * kPageBytes);
  }
}

TEST(HandoffOverlapTest, SlicesHoldForEveryHit) {
  for (std::uint32_t tokens = 1; tokens <= 21; ++tokens) {
    const std::uint32_t full = tokens / 4;
    for (std::uint32_t at_prefill = 0; at_prefill <= full; ++at_prefill) {
      for (std::uint32_t at_decode = 0; at_decode <= full; ++at_decode) {
        HandoffPair pair(Split());
        const HandoffAsk ask{.tokens = tokens, .ready_pages = at_prefill, .held_pages = at_decode};
        Open(pair, ask);
        const std::uint32_t pages = HandoffPair::PagesOf(ask);
        for (std::uint32_t at = at_prefill; at < pages; at += 3) {
          ComputeByLayer(pair, ask, at, std::min(at + 3, pages));
        }
        pair.Token(ask, 42);
        pair.Run();
        ExpectWhole(pair, ask);
        ASSERT_EQ(pair.outbound->stats().bytes_posted, (pages - at_decode) * kPageBytes)
            << tokens << " " << at_prefill << " " << at_decode;
      }
    }
  }
}

TEST(HandoffOverlapTest, AHandoffThatClosesGoesBeforeOthersWholePages) {
  HandoffPair pair(Split());
  const HandoffAsk longer{.number = 1, .tokens = 4 * 300, .ready_pages = 300};
  const HandoffAsk closing{.number = 2, .tokens = 8};
  for (const HandoffAsk& ask : {longer, closing}) {
    pair.Expect(ask);
    pair.Start(ask);
  }
  pair.Run();
  GrantInbound grant{HandoffPair::IdOf(closing), 0, {PageId{0}, PageId{2}}, true};
  pair.Compute(closing, 0, 2);
  pair.Token(closing, 7);
  pair.Grant(longer);
  pair.inbound->On(grant, pair.now);
  pair.Run(4);
  EXPECT_EQ(pair.committed().size(), 1U);
  EXPECT_LT(pair.outbound->stats().bytes_posted, 300 * kPageBytes);
}

}  // namespace
}  // namespace baton
