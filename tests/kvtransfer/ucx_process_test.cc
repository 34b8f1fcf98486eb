// The UCX transport between two real processes: bytes, death, stopping.

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <map>
#include <numeric>
#include <thread>

#include "kvtransfer/transport_wait.h"
#include "kvtransfer/ucx_transport.h"
#include "tests/kvtransfer/peer_process.h"

namespace baton {
namespace {

Instant In(std::int64_t ms) { return std::chrono::steady_clock::now() + Milliseconds(ms); }

class UcxProcessTest : public testing::TestWithParam<const char*> {
 protected:
  UcxProcessTest() : peer_(GetParam()) {
    UcxOptions options;
    options.shm = std::string(GetParam()) != "tcp";
    options.tcp = std::string(GetParam()) != "shm";
    auto transport = MakeUcxTransport(options);
    EXPECT_TRUE(transport.ok()) << transport.status();
    if (transport.ok()) transport_ = *std::move(transport);
  }

  void SetUp() override {
    ASSERT_NE(transport_, nullptr);
    ASSERT_FALSE(peer_.address().empty()) << "the peer process did not start";
  }

  /// Says hello and lets the conversation stand, without a probe of our own.
  PeerId Hello() {
    const auto peer = transport_->Connect(peer_.address());
    EXPECT_TRUE(peer.ok()) << peer.status();
    const std::string hello = TransferProbe::HelloMessage(1, transport_->address());
    EXPECT_TRUE(transport_->Send(*peer, hello).ok());
    std::vector<TransportEvent> events;
    const Instant end = In(5'000);
    while (events.empty() && std::chrono::steady_clock::now() < end) transport_->Poll(events);
    EXPECT_TRUE(!events.empty() && std::holds_alternative<MessageReceived>(events[0]))
        << "no welcome";
    return *peer;
  }

  /// Posts writes of one page until the transport says that it has enough. Returns how many.
  std::uint64_t PostUntilFull(PeerId peer) {
    std::uint64_t tag = 0;
    for (; tag < 5'000; ++tag) {
      FrameWrite frame;
      frame.header.page = static_cast<std::uint32_t>(tag % kPeerShape.pages);
      frame.header.pieces = 2;
      frame.header.bytes = kPeerShape.frame_bytes;
      frame.source = source_.data();
      if (!transport_->Write(peer, {&frame, 1}, tag).ok()) break;
    }
    return tag;
  }

  PeerProcess peer_;
  std::unique_ptr<Transport> transport_;
  std::vector<std::byte> source_ = std::vector<std::byte>(kPeerShape.frame_bytes);
};

TEST_P(UcxProcessTest, EveryByteReturnsAndTheWireIsTold) {
  TransferProbe probe(*transport_, kPeerShape);
  probe.Fill(3);
  std::vector<std::uint32_t> order(kPeerShape.pages);
  std::iota(order.begin(), order.end(), 0);
  ASSERT_TRUE(probe.Open(peer_.address(), In(5'000)).ok());
  EXPECT_EQ(probe.Describe().wire, std::string(GetParam()) == "tcp" ? "tcp" : "shm");
  for (int round = 0; round < 80; ++round) {  // 10,240 frames
    const absl::Status pushed = probe.Push(order, In(5'000));
    ASSERT_TRUE(pushed.ok()) << pushed;
  }
  probe.Poison();
  const absl::Status pulled = probe.Pull(In(5'000));
  ASSERT_TRUE(pulled.ok()) << pulled;
  EXPECT_EQ(probe.WrongPages(3), 0u);
  EXPECT_EQ(probe.WrongPages(4), kPeerShape.pages) << "the comparison sees nothing";
}

TEST_P(UcxProcessTest, AKilledPeerIsLostSoonAndEveryTagIsReportedOnceBeforeThat) {
  const PeerId peer = Hello();
  peer_.Stop();
  const std::uint64_t posted = PostUntilFull(peer);
  ASSERT_GT(posted, 100u);
  peer_.Kill();
  const auto start = std::chrono::steady_clock::now();
  std::vector<TransportEvent> events;
  const auto lost = [&] {
    return !events.empty() && std::holds_alternative<PeerLost>(events.back());
  };
  while (!lost() && std::chrono::steady_clock::now() < start + std::chrono::seconds(8)) {
    transport_->Poll(events);
    WaitForWork(*transport_, Milliseconds(20));
  }
  ASSERT_TRUE(lost()) << "not noticed";
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
  std::map<std::uint64_t, int> reports;
  for (const TransportEvent& event : events) {
    if (const auto* done = std::get_if<WriteDone>(&event)) ++reports[done->tag];
  }
  EXPECT_EQ(reports.size(), posted);
  for (const auto& [tag, count] : reports) EXPECT_EQ(count, 1) << tag;
  EXPECT_EQ(transport_->Send(peer, "late").code(), absl::StatusCode::kUnavailable);
}

TEST_P(UcxProcessTest, AKilledIdlePeerIsLostSoon) {
  Hello();
  peer_.Kill();
  std::vector<TransportEvent> events;
  const auto start = std::chrono::steady_clock::now();
  while (events.empty() && std::chrono::steady_clock::now() < start + std::chrono::seconds(8)) {
    transport_->Poll(events);
    WaitForWork(*transport_, Milliseconds(20));
  }
  ASSERT_FALSE(events.empty()) << "not noticed";
  EXPECT_TRUE(std::holds_alternative<PeerLost>(events[0]));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
}

TEST_P(UcxProcessTest, AStoppedPeerBlocksNobodyAndLosesNothing) {
  const PeerId peer = Hello();
  peer_.Stop();
  const std::uint64_t posted = PostUntilFull(peer);
  std::vector<TransportEvent> events;
  Duration longest{};
  const Instant stopped_until = In(300);
  while (std::chrono::steady_clock::now() < stopped_until) {
    const Instant before = std::chrono::steady_clock::now();
    transport_->Poll(events);
    longest = std::max<Duration>(longest, std::chrono::steady_clock::now() - before);
  }
  EXPECT_LT(longest, Milliseconds(100)) << "a poll waited for the stopped peer";
  EXPECT_LT(events.size(), posted) << "the peer was not stopped: the test shows nothing";
  peer_.Continue();
  const Instant end = In(10'000);
  while (events.size() < posted && std::chrono::steady_clock::now() < end) transport_->Poll(events);
  ASSERT_EQ(events.size(), posted);
  for (const TransportEvent& event : events) {
    const auto* done = std::get_if<WriteDone>(&event);
    ASSERT_NE(done, nullptr);
    EXPECT_TRUE(done->status.ok()) << done->status;
  }
}

TEST_P(UcxProcessTest, APeerKilledWhileItSendsJamsNobodyElse) {
  // The peer sends all its pages again and again; it dies in the middle of some frame.
  for (int round = 0; round < 6; ++round) {
    PeerProcess victim(GetParam());
    TransferProbe probe(*transport_, kPeerShape);
    const absl::Status opened = probe.Open(victim.address(), In(5'000));
    ASSERT_TRUE(opened.ok()) << "round " << round << ": " << opened;
    const Instant killed_at = In(20 + 7 * round);
    absl::Status pulled;
    while (pulled.ok() && std::chrono::steady_clock::now() < killed_at) {
      pulled = probe.Pull(In(5'000));
    }
    std::jthread killer([&victim] { victim.Kill(); });
    while (pulled.ok()) pulled = probe.Pull(In(5'000));
    EXPECT_EQ(pulled.code(), absl::StatusCode::kUnavailable) << pulled;
  }
  TransferProbe probe(*transport_, kPeerShape);
  const absl::Status opened = probe.Open(peer_.address(), In(5'000));
  ASSERT_TRUE(opened.ok()) << opened;
  const absl::Status pulled = probe.Pull(In(5'000));
  EXPECT_TRUE(pulled.ok()) << pulled;
}

TEST_P(UcxProcessTest, WaitingCostsNoProcessorTime) {
  Hello();
  const auto used = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double before = used();
  std::vector<TransportEvent> events;
  const Instant end = In(1'000);
  while (std::chrono::steady_clock::now() < end) {
    transport_->Poll(events);
    WaitForWork(*transport_, Milliseconds(100));
  }
  EXPECT_LT(used() - before, 0.1) << "seconds of processor time in one second of silence";
}

INSTANTIATE_TEST_SUITE_P(Wires, UcxProcessTest, testing::Values("shm", "tcp", "both"),
                         [](const auto& wire) { return std::string(wire.param); });

}  // namespace
}  // namespace baton
