#include "kvtransfer/loopback_transport.h"

#include <memory>
#include <string>
#include <vector>

#include "tests/kvtransfer/transport_conformance.h"

namespace baton {
namespace {

class LoopbackPair : public TransportPair {
 public:
  Transport& sender() override { return sender_; }
  Transport& receiver() override { return *receiver_; }
  void LoseReceiver() override { receiver_.reset(); }

 private:
  LoopbackFabric fabric_;
  LoopbackTransport sender_{fabric_, "a"};
  std::unique_ptr<LoopbackTransport> receiver_ = std::make_unique<LoopbackTransport>(fabric_, "b");
};

std::unique_ptr<TransportPair> MakeLoopbackPair() { return std::make_unique<LoopbackPair>(); }

INSTANTIATE_TEST_SUITE_P(Loopback, TransportConformanceTest, testing::Values(&MakeLoopbackPair));

/// Texts of the messages that a Poll brings.
std::vector<std::string> Messages(Transport& transport) {
  std::vector<TransportEvent> events;
  transport.Poll(events);
  std::vector<std::string> texts;
  for (const TransportEvent& event : events) {
    if (const auto* message = std::get_if<MessageReceived>(&event))
      texts.push_back(message->payload);
  }
  return texts;
}

class LoopbackFaultTest : public testing::Test {
 protected:
  void SetUp() override { peer_ = *a_.Connect("b"); }

  LoopbackFabric fabric_;
  LoopbackTransport a_{fabric_, "a"};
  LoopbackTransport b_{fabric_, "b"};
  PeerId peer_{};
};

using Texts = std::vector<std::string>;

TEST_F(LoopbackFaultTest, WhatIsHeldComesLaterInOrder) {
  fabric_.faults("a", "b").held = true;
  ASSERT_TRUE(a_.Send(peer_, "1").ok());
  ASSERT_TRUE(a_.Send(peer_, "2").ok());
  EXPECT_TRUE(Messages(b_).empty());
  fabric_.faults("a", "b").held = false;
  EXPECT_EQ(Messages(b_), (Texts{"1", "2"}));
}

TEST_F(LoopbackFaultTest, WhatIsDroppedNeverComes) {
  fabric_.faults("a", "b").drop = 1;
  ASSERT_TRUE(a_.Send(peer_, "1").ok());
  ASSERT_TRUE(a_.Send(peer_, "2").ok());
  EXPECT_EQ(Messages(b_), Texts{"2"});
}

TEST_F(LoopbackFaultTest, WhatIsDuplicatedComesTwice) {
  fabric_.faults("a", "b").duplicate = 1;
  ASSERT_TRUE(a_.Send(peer_, "1").ok());
  ASSERT_TRUE(a_.Send(peer_, "2").ok());
  EXPECT_EQ(Messages(b_), (Texts{"1", "1", "2"}));
}

TEST_F(LoopbackFaultTest, WhatIsDelayedWaitsForSoManyPolls) {
  fabric_.faults("a", "b").delay_polls = 2;
  ASSERT_TRUE(a_.Send(peer_, "1").ok());
  EXPECT_TRUE(Messages(b_).empty());
  EXPECT_TRUE(Messages(b_).empty());
  EXPECT_EQ(Messages(b_), Texts{"1"});
}

TEST_F(LoopbackFaultTest, ACutLosesBothWaysAndWhatIsUnderWay) {
  const PeerId back = *b_.Connect("a");
  ASSERT_TRUE(a_.Send(peer_, "1").ok());
  fabric_.Cut("a", "b");
  EXPECT_TRUE(Messages(b_).empty());
  EXPECT_TRUE(absl::IsUnavailable(a_.Send(peer_, "2")));
  EXPECT_TRUE(absl::IsUnavailable(b_.Send(back, "3")));
  const PeerId again = *a_.Connect("b");
  ASSERT_TRUE(a_.Send(again, "4").ok());
  EXPECT_EQ(Messages(b_), Texts{"4"});
}

TEST_F(LoopbackFaultTest, NobodyAtTheAddressIsALostPeer) {
  const PeerId nobody = *a_.Connect("c");
  std::vector<TransportEvent> events;
  a_.Poll(events);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<PeerLost>(events[0]).peer, nobody);
}

}  // namespace
}  // namespace baton
