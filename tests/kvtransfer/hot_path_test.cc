// What happens once a frame (posting, polling, landing) takes nothing from the heap once warm.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "kvtransfer/copy_crc.h"
#include "kvtransfer/lease_table.h"
#include "kvtransfer/ucx_transport.h"
#include "tests/testing/allocation_count.h"

namespace baton {
namespace {

constexpr SessionId kSession{7};
constexpr std::uint32_t kPages = 256;
constexpr std::uint32_t kFramesOfWrite = 8;
constexpr auto kPatience = std::chrono::seconds(20);

KvLayout Layout() {
  KvLayout layout;
  layout.num_layers = 2;
  layout.latent_dim = 240;
  layout.rope_dim = 32;
  return layout;
}

/// A sender and a receiver in one thread, over one wire.
class HotPath {
 public:
  HotPath(bool shm, bool tcp)
      : arena_(*KvArena::Create(Layout(), kPages)),
        table_(*arena_),
        plan_(PiecePlan::Of(Layout(), Layout().LayerBytes() / 2)) {
    UcxOptions options;
    options.shm = shm;
    options.tcp = tcp;
    sender_ = *MakeUcxTransport(options);
    receiver_ = *MakeUcxTransport(options);
    receiver_->SetSink(&table_);
    peer_ = *sender_->Connect(receiver_->address());
    table_.OpenSession(kSession, plan_);
    lease_ = table_.Open(kSession, 0);
    std::vector<PageId> pages;
    for (std::uint32_t i = 0; i < kPages; ++i) pages.push_back(PageId{i});
    table_.Append(lease_, pages);
    source_.assign(plan_.piece_bytes, std::byte{5});
    frames_.resize(kFramesOfWrite);
  }
  ~HotPath() { receiver_->SetSink(nullptr); }

  /// Sends so many frames and waits until they have landed. Returns what both ends took.
  std::uint64_t Send(std::uint64_t frames) {
    const std::uint64_t before = AllocationsOfThisThread();
    const std::uint64_t wanted = table_.Find(lease_)->pieces_landed + frames;
    const Instant deadline = std::chrono::steady_clock::now() + kPatience;
    std::uint64_t left = frames;
    while (table_.Find(lease_)->pieces_landed < wanted || open_ > 0) {
      if (left > 0 && open_ < 2) left -= Post();
      Poll();
      if (std::chrono::steady_clock::now() > deadline) break;
    }
    EXPECT_EQ(table_.Find(lease_)->pieces_landed, wanted);
    return AllocationsOfThisThread() - before;
  }

  std::uint64_t frames() const { return std::uint64_t{kPages} * plan_.pieces(); }

 private:
  std::uint64_t Post() {
    for (FrameWrite& frame : frames_) {
      frame.header = {kSession,
                      lease_,
                      sequence_,
                      sequence_ / plan_.pieces(),
                      static_cast<std::uint16_t>(sequence_ % plan_.pieces()),
                      plan_.pieces(),
                      plan_.piece_bytes,
                      Crc32c(source_.data(), source_.size())};
      frame.source = source_.data();
      ++sequence_;
    }
    if (!sender_->Write(peer_, frames_, sequence_).ok()) {
      sequence_ -= kFramesOfWrite;
      return 0;
    }
    ++open_;
    return kFramesOfWrite;
  }

  void Poll() {
    sender_->Poll(events_);
    for (const TransportEvent& event : events_) open_ -= std::holds_alternative<WriteDone>(event);
    events_.clear();
    receiver_->Poll(events_);
    events_.clear();
    table_.TakeTouched(touched_);
  }

  std::unique_ptr<KvArena> arena_;
  LeaseTable table_;
  const PiecePlan plan_;
  std::unique_ptr<Transport> sender_;
  std::unique_ptr<Transport> receiver_;
  PeerId peer_{};
  LeaseId lease_{};
  std::vector<std::byte> source_;
  std::vector<FrameWrite> frames_;
  std::vector<TransportEvent> events_;
  std::vector<LeaseId> touched_;
  std::uint32_t sequence_ = 0;
  int open_ = 0;
};

class HotPathTest : public testing::TestWithParam<const char*> {};

TEST_P(HotPathTest, FramesArePostedPolledAndLandedWithoutAllocation) {
  const bool shm = std::string(GetParam()) == "shm";
  HotPath path(shm, !shm);
  EXPECT_GT(path.Send(path.frames() / 2), 0U);  // warms up, and shows that the count counts
  EXPECT_EQ(path.Send(path.frames() / 2), 0U);
}

INSTANTIATE_TEST_SUITE_P(Wires, HotPathTest, testing::Values("shm", "tcp"),
                         [](const auto& wire) { return std::string(wire.param); });

}  // namespace
}  // namespace baton
