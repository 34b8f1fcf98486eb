#include "kvtransfer/lease_table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "kvtransfer/handoff_digest.h"

namespace baton {
namespace {

constexpr SessionId kSession{77};
constexpr SessionId kOther{78};

class LeaseTableTest : public testing::Test {
 protected:
  LeaseTableTest() {
    KvLayout layout;
    layout.num_layers = 2;
    layout.tokens_per_page = 4;
    layout.latent_dim = 6;
    layout.rope_dim = 2;
    arena_ = *KvArena::Create(layout, 8);
    plan_ = PiecePlan::Of(layout, layout.LayerBytes());
    table_ = std::make_unique<LeaseTable>(*arena_);
    table_->OpenSession(kSession, plan_);
    table_->OpenSession(kOther, plan_);
    std::memset(arena_->base(), 0xff, Bytes());
  }

  std::size_t Bytes() const { return arena_->num_pages() * arena_->layout().PageBytes(); }

  /// A lease of pages 3 and 5 for ordinals 2 and 3.
  LeaseId OpenLease() {
    const LeaseId lease = table_->Open(kSession, 2);
    const std::vector<PageId> pages = {PageId{3}, PageId{5}};
    table_->Append(lease, pages);
    return lease;
  }

  FrameHeader Frame(LeaseId lease, std::uint32_t page, std::uint16_t piece) const {
    FrameHeader header;
    header.session = kSession;
    header.lease = lease;
    header.page = page;
    header.piece = piece;
    header.pieces = plan_.pieces();
    header.bytes = plan_.BytesOf(0);
    header.crc32c = 1000 + page * 10 + piece;
    return header;
  }

  /// As a transport does it. False when refused.
  bool Offer(const FrameHeader& header, bool agrees = true) {
    std::byte* place = table_->Admit(header);
    if (place == nullptr) return false;
    std::memset(place, 0x11, header.bytes);
    table_->Landed(header, agrees);
    return true;
  }

  bool Untouched() const {
    for (std::size_t i = 0; i < Bytes(); ++i) {
      if (arena_->base()[i] != std::byte{0xff}) return false;
    }
    return true;
  }

  std::unique_ptr<KvArena> arena_;
  PiecePlan plan_;
  std::unique_ptr<LeaseTable> table_;
};

TEST_F(LeaseTableTest, APieceLandsWhereTheReceiverLooksItUp) {
  const LeaseId lease = OpenLease();
  const FrameHeader header = Frame(lease, 3, 1);
  EXPECT_EQ(table_->Admit(header), arena_->Page(PageId{5}).data() + plan_.piece_bytes);
}

TEST_F(LeaseTableTest, ALateFrameAfterEraseIsRefusedAndNotOneByteChanges) {
  const LeaseId lease = OpenLease();
  table_->Erase(lease);
  EXPECT_FALSE(Offer(Frame(lease, 2, 0)));
  EXPECT_TRUE(Untouched());
  EXPECT_EQ(table_->stats().stale_refused, 1U);
}

TEST_F(LeaseTableTest, AFrameOfAnotherSessionIsRefused) {
  FrameHeader header = Frame(OpenLease(), 2, 0);
  header.session = kOther;
  EXPECT_FALSE(Offer(header));
  header.session = SessionId{1};
  EXPECT_FALSE(Offer(header));
  EXPECT_TRUE(Untouched());
  EXPECT_EQ(table_->stats().wild_refused, 1U);
  EXPECT_EQ(table_->stats().stale_refused, 1U);
}

TEST_F(LeaseTableTest, ALeaseThatNeverWasIsRefused) {
  const LeaseId lease = OpenLease();
  EXPECT_FALSE(Offer(Frame(LeaseId{0}, 2, 0)));
  EXPECT_FALSE(Offer(Frame(LeaseId{Index(lease) + 1}, 2, 0)));
  EXPECT_EQ(table_->stats().wild_refused, 2U);
  EXPECT_TRUE(Untouched());
}

TEST_F(LeaseTableTest, OrdinalsOutsideTheGrantAreRefused) {
  const LeaseId lease = OpenLease();
  for (const std::uint32_t page : {0U, 1U, 4U, 0xffffffffU}) {
    EXPECT_FALSE(Offer(Frame(lease, page, 0))) << page;
  }
  EXPECT_TRUE(Untouched());
  EXPECT_EQ(table_->stats().wild_refused, 4U);
}

TEST_F(LeaseTableTest, PiecesAndSizesOutsideThePageAreRefused) {
  const LeaseId lease = OpenLease();
  FrameHeader header = Frame(lease, 2, 0);
  header.piece = plan_.pieces();
  EXPECT_FALSE(Offer(header));
  header = Frame(lease, 2, 0);
  header.piece = 0xffff;
  EXPECT_FALSE(Offer(header));
  header = Frame(lease, 2, 0);
  header.pieces = static_cast<std::uint16_t>(plan_.pieces() + 1);
  EXPECT_FALSE(Offer(header));
  header = Frame(lease, 2, 0);
  header.bytes += 1;
  EXPECT_FALSE(Offer(header));
  header.bytes = 0xffffffffU;
  EXPECT_FALSE(Offer(header));
  EXPECT_TRUE(Untouched());
  EXPECT_EQ(table_->stats().wild_refused, 5U);
}

TEST_F(LeaseTableTest, ADuplicatePieceIsDropped) {
  const LeaseId lease = OpenLease();
  EXPECT_TRUE(Offer(Frame(lease, 2, 0)));
  EXPECT_FALSE(Offer(Frame(lease, 2, 0)));
  EXPECT_EQ(table_->stats().duplicates, 1U);
  EXPECT_EQ(table_->Find(lease)->pieces_landed, 1U);
}

TEST_F(LeaseTableTest, ALeaseIsWholeWhenEveryPieceLandedInAnyOrder) {
  const LeaseId lease = OpenLease();
  std::uint64_t digest = 0;
  for (const std::uint32_t page : {3U, 2U}) {
    for (const std::uint16_t piece : {std::uint16_t{1}, std::uint16_t{0}}) {
      EXPECT_FALSE(table_->Find(lease)->whole());
      EXPECT_TRUE(Offer(Frame(lease, page, piece)));
      digest += DigestOfPiece(page, piece, Frame(lease, page, piece).crc32c);
    }
  }
  EXPECT_TRUE(table_->Find(lease)->whole());
  EXPECT_EQ(table_->Find(lease)->digest, digest);
  EXPECT_EQ(table_->Find(lease)->bytes, 2 * plan_.page_bytes);
}

TEST_F(LeaseTableTest, AChecksumThatDoesNotHoldMakesTheLeaseCorruptForGood) {
  const LeaseId lease = OpenLease();
  EXPECT_TRUE(Offer(Frame(lease, 2, 0), /*agrees=*/false));
  EXPECT_TRUE(Offer(Frame(lease, 2, 0)));
  EXPECT_TRUE(Offer(Frame(lease, 2, 1)));
  EXPECT_TRUE(Offer(Frame(lease, 3, 0)));
  EXPECT_TRUE(Offer(Frame(lease, 3, 1)));
  EXPECT_FALSE(table_->Find(lease)->whole());
  EXPECT_EQ(table_->stats().crc_errors, 1U);
}

TEST_F(LeaseTableTest, IdsOnlyGrow) {
  const LeaseId first = OpenLease();
  table_->Erase(first);
  const LeaseId second = OpenLease();
  EXPECT_GT(Index(second), Index(first));
}

TEST_F(LeaseTableTest, ClosingASessionErasesItsLeasesAndNoOthers) {
  const LeaseId lease = OpenLease();
  const LeaseId other = table_->Open(kOther, 0);
  EXPECT_EQ(table_->CloseSession(kSession), std::vector<LeaseId>{lease});
  EXPECT_EQ(table_->Find(lease), nullptr);
  EXPECT_NE(table_->Find(other), nullptr);
  EXPECT_FALSE(Offer(Frame(lease, 2, 0)));
  EXPECT_TRUE(Untouched());
}

TEST_F(LeaseTableTest, RefusedFramesCountAsConsumed) {
  const LeaseId lease = OpenLease();
  Offer(Frame(lease, 2, 0));
  Offer(Frame(lease, 9, 0));
  EXPECT_EQ(table_->FramesOffered(kSession), 2U);
  EXPECT_EQ(table_->BytesOffered(kSession), 2U * plan_.piece_bytes);
}

TEST_F(LeaseTableTest, TouchedLeasesAreToldOnce) {
  const LeaseId lease = OpenLease();
  Offer(Frame(lease, 2, 0));
  Offer(Frame(lease, 2, 1));
  std::vector<LeaseId> touched;
  table_->TakeTouched(touched);
  EXPECT_EQ(touched, std::vector<LeaseId>{lease});
  table_->TakeTouched(touched);
  EXPECT_TRUE(touched.empty());
  Offer(Frame(lease, 3, 0));
  table_->TakeTouched(touched);
  EXPECT_EQ(touched, std::vector<LeaseId>{lease});
}

TEST(DigestTest, ExchangedOrRepeatedPiecesShow) {
  const std::uint64_t right = DigestOfPiece(1, 0, 10) + DigestOfPiece(2, 0, 20);
  EXPECT_NE(right, DigestOfPiece(1, 0, 20) + DigestOfPiece(2, 0, 10));
  EXPECT_NE(right, DigestOfPiece(1, 0, 10) + DigestOfPiece(1, 0, 10));
  EXPECT_NE(right, DigestOfPiece(1, 1, 10) + DigestOfPiece(2, 0, 20));
  EXPECT_EQ(right, DigestOfPiece(2, 0, 20) + DigestOfPiece(1, 0, 10));
}

TEST(PiecePlanTest, PiecesCoverThePageAndFitAFrame) {
  KvLayout layout;
  layout.num_layers = 3;
  layout.tokens_per_page = 64;
  layout.rope_dim = 64;
  for (const int latent : {1, 7, 512, 5000, 20000}) {
    layout.latent_dim = latent;
    const PiecePlan plan = PiecePlan::Of(layout, kFrameBytesMax);
    ASSERT_TRUE(plan.valid());
    std::uint64_t end = 0;
    for (std::uint16_t piece = 0; piece < plan.pieces(); ++piece) {
      EXPECT_EQ(plan.OffsetOf(piece), end);
      EXPECT_LE(plan.BytesOf(piece), kFrameBytesMax);
      EXPECT_GT(plan.BytesOf(piece), 0U);
      end += plan.BytesOf(piece);
    }
    EXPECT_EQ(end, layout.PageBytes());
  }
  layout.latent_dim = 512;  // a layer of 72 KiB
  EXPECT_EQ(PiecePlan::Of(layout, kFrameBytesOneSegment).piece_bytes, layout.LayerBytes() / 2);
  EXPECT_EQ(PiecePlan::Of(layout, kFrameBytesMax).pieces(), 1);
  layout.num_layers = 4;
  EXPECT_EQ(PiecePlan::Of(layout, kFrameBytesMax).piece_bytes, 3 * layout.LayerBytes());
  EXPECT_FALSE((PiecePlan{1 << 20, 1}.valid()));
  EXPECT_FALSE((PiecePlan{1 << 20, 0}.valid()));
}

}  // namespace
}  // namespace baton
