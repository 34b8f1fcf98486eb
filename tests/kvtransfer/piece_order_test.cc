// Which piece goes when: every piece once, none before it is complete and granted, whatever the
// order in which layers, pages and grants come.
#include "kvtransfer/piece_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace baton {
namespace {

constexpr std::uint64_t kLayerBytes = 12;

struct Shape {
  std::uint32_t pages = 1;
  std::uint32_t first_page = 0;   // what decode wants first
  std::uint32_t chunk_first = 0;  // where the last chunk begins
  std::uint32_t layers = 1;
  std::uint32_t piece_bytes = 1;

  PiecePlan plan() const { return {layers * kLayerBytes, piece_bytes}; }
};

/// Drives one PieceOrder by random events and holds every piece to what has happened so far.
class Driver {
 public:
  Driver(const Shape& shape, std::uint32_t seed)
      : shape_(shape), random_(seed), order_(shape.pages, 0) {
    order_.CutAs(shape.plan());
    order_.StartAt(shape.first_page);
  }

  void Run() {
    for (int i = 0; i < 10'000 && !order_.all_posted(); ++i) {
      switch (random_() % 3) {
        case 0:
          Compute();
          break;
        case 1:
          GrantMore();
          break;
        default:
          PostSome();
      }
    }
    ASSERT_TRUE(order_.all_posted());
    EXPECT_EQ(posted_.size(), std::size_t{shape_.pages - shape_.first_page} * pieces());
    EXPECT_EQ(order_.pages_sent(), shape_.pages - shape_.first_page);
  }

  bool sliced() const { return order_.sliced(); }

 private:
  std::uint16_t pieces() const { return shape_.plan().pieces(); }

  void Compute() {
    if (ready_ < shape_.chunk_first) return order_.PagesReady(ready_ = shape_.chunk_first);
    if (layers_ == shape_.layers) return;
    ++layers_;
    if (layers_ == shape_.layers) return order_.PagesReady(ready_ = shape_.pages);
    order_.FrontsReady(shape_.chunk_first, layers_ * kLayerBytes);
  }
  void GrantMore() {
    const std::uint32_t left = shape_.pages - order_.granted_end();
    granted_ =
        order_.granted_end() + (left == 0 ? 0 : 1 + static_cast<std::uint32_t>(random_()) % left);
    order_.GrantUpTo(granted_);
  }
  void PostSome() {
    const std::uint32_t most = 1 + static_cast<std::uint32_t>(random_()) % 5;
    std::uint32_t count = 0;
    PieceToSend piece;
    while (count < most && order_.Next(count, piece)) {
      Check(piece);
      ++count;
    }
    if (count > 0) order_.Posted(count);
  }
  void Check(const PieceToSend& piece) {
    ASSERT_TRUE(posted_.insert({piece.page, piece.piece}).second) << "twice";
    ASSERT_GE(piece.page, shape_.first_page);
    ASSERT_LT(piece.page, granted_);
    ASSERT_LT(piece.piece, pieces());
    if (piece.page < ready_) return;
    ASSERT_GE(piece.page, shape_.chunk_first);
    const std::uint64_t end =
        shape_.plan().OffsetOf(piece.piece) + shape_.plan().BytesOf(piece.piece);
    ASSERT_LE(end, layers_ * kLayerBytes) << "a layer that is not computed";
  }

  const Shape shape_;
  std::mt19937 random_;
  PieceOrder order_;
  std::uint32_t ready_ = 0;
  std::uint32_t layers_ = 0;  // of the last chunk
  std::uint32_t granted_ = 0;
  std::set<std::pair<std::uint32_t, std::uint16_t>> posted_;
};

TEST(PieceOrderTest, EveryPieceGoesOnceAndNoneBeforeItIsCompleteAndGranted) {
  int sliced = 0;
  std::uint32_t seed = 0;
  for (std::uint32_t pages = 1; pages <= 5; ++pages) {
    for (std::uint32_t first = 0; first < pages; ++first) {
      for (std::uint32_t chunk = 0; chunk < pages; ++chunk) {
        for (const std::uint32_t piece_bytes : {4U, 5U, 12U, 24U, 36U}) {
          for (int repeat = 0; repeat < 8; ++repeat) {
            Driver driver({pages, first, chunk, 3, piece_bytes}, ++seed);
            driver.Run();
            if (HasFatalFailure() || HasNonfatalFailure()) FAIL() << "seed " << seed;
            sliced += driver.sliced();
          }
        }
      }
    }
  }
  EXPECT_GT(sliced, 100);
}

/// Everything that may go now, posted.
std::vector<PieceToSend> Drain(PieceOrder& order) {
  std::vector<PieceToSend> out;
  PieceToSend piece;
  while (order.Next(0, piece)) {
    out.push_back(piece);
    order.Posted(1);
  }
  return out;
}

TEST(PieceOrderTest, TheTailGoesInSlicesAcrossItsPages) {
  PieceOrder order(3, 1);
  order.CutAs({4 * kLayerBytes, kLayerBytes});
  order.StartAt(0);
  order.GrantUpTo(3);
  order.FrontsReady(1, 2 * kLayerBytes);
  const std::vector<PieceToSend> first = {{0, 0}, {0, 1}, {0, 2}, {0, 3},
                                          {1, 0}, {1, 1}, {2, 0}, {2, 1}};
  EXPECT_EQ(Drain(order), first);
  order.FrontsReady(1, 3 * kLayerBytes);
  EXPECT_EQ(Drain(order), (std::vector<PieceToSend>{{1, 2}, {2, 2}}));
  order.PagesReady(3);
  EXPECT_EQ(Drain(order), (std::vector<PieceToSend>{{1, 3}, {2, 3}}));
  EXPECT_TRUE(order.all_posted());
}

TEST(PieceOrderTest, ATailThatIsCompleteBeforeItsFirstPieceGoesIsNotCut) {
  PieceOrder order(2, 0);
  order.CutAs({4 * kLayerBytes, kLayerBytes});
  order.StartAt(0);
  order.FrontsReady(0, 2 * kLayerBytes);
  order.PagesReady(2);
  order.GrantUpTo(2);
  const std::vector<PieceToSend> sent = Drain(order);
  EXPECT_FALSE(order.sliced());
  EXPECT_EQ(sent[1], (PieceToSend{0, 1}));
  EXPECT_EQ(sent[4], (PieceToSend{1, 0}));
}

TEST(PieceOrderTest, ATailThatIsNotGrantedWholeWaitsForItsLastLayer) {
  PieceOrder order(2, 0);
  order.CutAs({4 * kLayerBytes, kLayerBytes});
  order.StartAt(0);
  order.GrantUpTo(1);
  order.FrontsReady(0, 3 * kLayerBytes);
  EXPECT_TRUE(Drain(order).empty());
  order.PagesReady(2);
  EXPECT_EQ(Drain(order).size(), 4U);
  order.GrantUpTo(2);
  EXPECT_EQ(Drain(order).size(), 4U);
  EXPECT_TRUE(order.all_posted());
}

TEST(PieceOrderTest, LayersThatFillNoPieceAreNotSent) {
  PieceOrder order(1, 0);
  order.CutAs({4 * kLayerBytes, 3 * kLayerBytes});  // as over TCP: pieces of three layers
  order.StartAt(0);
  order.GrantUpTo(1);
  order.FrontsReady(0, 2 * kLayerBytes);
  EXPECT_TRUE(Drain(order).empty());
  order.FrontsReady(0, 3 * kLayerBytes);
  EXPECT_EQ(Drain(order).size(), 1U);
}

}  // namespace
}  // namespace baton
