#include "router/flow_pair.h"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(FlowPairTest, AnIntroductionIsThePairsAndTheSecrets) {
  const std::string pair = IntroductionOf("secret", Incarnation{1}, Incarnation{2});
  EXPECT_EQ(pair.size(), 16U);
  EXPECT_EQ(pair, IntroductionOf("secret", Incarnation{1}, Incarnation{2}));
  EXPECT_NE(pair, IntroductionOf("secret", Incarnation{2}, Incarnation{1}));
  EXPECT_NE(pair, IntroductionOf("secret", Incarnation{1}, Incarnation{3}));
  EXPECT_NE(pair, IntroductionOf("other", Incarnation{1}, Incarnation{2}));
}

TEST(FlowPairTest, TimeLeftIsAtLeastAMillisecondAndFitsItsField) {
  Request request;
  request.prompt = {1};
  EXPECT_EQ(SequenceOf(request, 1, {}, Duration(5)).deadline_ms(), 1U);
  EXPECT_EQ(SequenceOf(request, 1, {}, Milliseconds(1500)).deadline_ms(), 1500U);
  EXPECT_EQ(SequenceOf(request, 1, {}, Duration::max()).deadline_ms(), 0xffffffffU);
}

}  // namespace
}  // namespace baton
