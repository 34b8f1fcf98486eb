#include "kvtransfer/inbound_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr StreamId kOne{1};
constexpr StreamId kTwo{2};

TEST(InboundOrderTest, AMessageWaitsForTheFramesInFrontOfIt) {
  InboundOrder order;
  std::vector<std::string> ready;
  EXPECT_TRUE(order.OnMessage({kOne, 0, 2}, "commit", ready));
  order.OnFrame(kOne, ready);
  EXPECT_THAT(ready, IsEmpty());
  order.OnFrame(kOne, ready);
  EXPECT_THAT(ready, ElementsAre("commit"));
  EXPECT_EQ(order.held(), 0u);
}

TEST(InboundOrderTest, FramesOfAnotherStreamDoNotCount) {
  InboundOrder order;
  std::vector<std::string> ready;
  order.OnMessage({kOne, 0, 1}, "commit", ready);
  order.OnFrame(kTwo, ready);
  EXPECT_THAT(ready, IsEmpty());
}

TEST(InboundOrderTest, MessagesGoUpInTheOrderOfTheirNumbers) {
  InboundOrder order;
  std::vector<std::string> ready;
  order.OnMessage({kOne, 2, 0}, "c", ready);
  order.OnMessage({kOne, 1, 0}, "b", ready);
  EXPECT_THAT(ready, IsEmpty());
  order.OnMessage({kOne, 0, 0}, "a", ready);
  EXPECT_THAT(ready, ElementsAre("a", "b", "c"));
}

TEST(InboundOrderTest, AMessageGoesUpAtMostOnce) {
  InboundOrder order;
  std::vector<std::string> ready;
  EXPECT_TRUE(order.OnMessage({kOne, 0, 0}, "a", ready));
  EXPECT_FALSE(order.OnMessage({kOne, 0, 0}, "a", ready));
  EXPECT_TRUE(order.OnMessage({kOne, 5, 0}, "f", ready));
  EXPECT_FALSE(order.OnMessage({kOne, 5, 0}, "f", ready));
  EXPECT_THAT(ready, ElementsAre("a"));
}

TEST(InboundOrderTest, NoMoreAreHeldThanTheBound) {
  InboundOrder order;
  std::vector<std::string> ready;
  for (std::uint64_t i = 0; i < kHeldMessagesMax; ++i) {
    EXPECT_TRUE(order.OnMessage({kOne, i + 1, 0}, "x", ready));
  }
  EXPECT_FALSE(order.OnMessage({kTwo, 1, 0}, "x", ready)) << "held though full";
  EXPECT_TRUE(order.OnMessage({kTwo, 0, 0}, "y", ready)) << "what need not wait passes";
  EXPECT_THAT(ready, ElementsAre("y"));
}

TEST(InboundOrderTest, TheStreamThatIsSilentLongestIsForgottenWhenThereAreTooMany) {
  InboundOrder order;
  std::vector<std::string> ready;
  order.OnMessage({kOne, 7, 0}, "never", ready);
  for (std::uint64_t id = 10; id < 10 + kStreamsMax; ++id) {
    order.OnFrame(static_cast<StreamId>(id), ready);
  }
  EXPECT_EQ(order.held(), 0u);
}

}  // namespace
}  // namespace baton
