// In which order the pieces of a hand-off's pages go, and which of them may go now. Pure numbers.
//
// Pages that are complete go whole, in the prompt's order. The pages of the last chunk, the *tail*,
// go in *slices* while it is still computed: the first pieces of every tail page, once the layers
// in them are done, then the next pieces of every page, and so on. So only the last slice is left
// when the last layer is.
//
//            tail page 4   tail page 5   tail page 6
//   layers 0-7     1             2             3      slice 1: pieces in the order of the numbers
//   layers 8-15    4             5             6      slice 2
//
// Whether a tail is cut into slices is decided when its first piece goes: if all of it is complete
// by then, or decode has not granted all of it, it goes page by page.
//
// Thread: confined to the transfer thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kvtransfer/piece_plan.h"

namespace baton {

/// One piece to post.
struct PieceToSend {
  std::uint32_t page = 0;  // ordinal
  std::uint16_t piece = 0;

  friend bool operator==(const PieceToSend&, const PieceToSend&) = default;
};

class PieceOrder {
 public:
  /// Pages [0, ready_pages) of the prompt are complete at the source.
  PieceOrder(std::uint32_t num_pages, std::uint32_t ready_pages)
      : num_pages_(num_pages), ready_end_(ready_pages) {}

  /// How the receiver cuts pages; once, before anything is granted.
  void CutAs(const PiecePlan& plan) { plan_ = plan; }

  /// The receiver wants pages from `first_page` on; once, before GrantUpTo.
  void StartAt(std::uint32_t first_page) {
    first_page_ = first_page;
    granted_end_ = first_page;
    next_page_ = first_page;
  }

  /// Pages [first page, end) may be written.
  void GrantUpTo(std::uint32_t end) {
    granted_end_ = end;
    OpenSlice();
  }

  /// Pages [0, end) of the prompt are complete.
  void PagesReady(std::uint32_t end) {
    ready_end_ = std::max(ready_end_, end);
    OpenSlice();
  }

  /// The first `bytes` of each of the pages [first, num_pages) are complete: `first` is where the
  /// last chunk begins.
  void FrontsReady(std::uint32_t first, std::uint64_t bytes) {
    front_first_ = first;
    front_bytes_ = std::max(front_bytes_, bytes);
    OpenSlice();
  }

  /// The `ahead`-th piece after those posted. False when it may not go yet, or begins another slice
  /// than the next one: ask again once those before it are posted.
  bool Next(std::uint32_t ahead, PieceToSend& piece) const;

  /// The next `count` pieces went out. Needs Next(count - 1).
  void Posted(std::uint32_t count);

  bool all_posted() const { return next_page_ == num_pages_; }
  std::uint32_t first_page() const { return first_page_; }
  std::uint32_t granted_end() const { return granted_end_; }
  /// Whole pages.
  std::uint32_t pages_sent() const { return next_page_ - first_page_; }
  /// The tail is being cut, or was.
  bool sliced() const { return slice_end_ > 0; }

 private:
  std::uint32_t tail_first() const { return std::max(front_first_, first_page_); }
  std::uint64_t slice_pieces() const {
    return std::uint64_t{num_pages_ - tail_first()} * (slice_end_ - slice_begin_);
  }
  /// Pieces of each tail page that are complete.
  std::uint16_t fronts() const {
    if (ready_end_ == num_pages_) return plan_.pieces();
    return static_cast<std::uint16_t>(front_bytes_ / plan_.piece_bytes);
  }
  bool MayCut() const;
  /// Opens the next slice when the one before has gone and more layers are done.
  void OpenSlice();

  const std::uint32_t num_pages_;
  PiecePlan plan_;
  std::uint32_t first_page_ = 0;   // what the peer wants first
  std::uint32_t granted_end_ = 0;  // ordinals below may be written
  std::uint32_t ready_end_;        // ordinals below are complete here
  std::uint32_t front_first_ = 0;  // where the last chunk begins
  std::uint64_t front_bytes_ = 0;  // of each of its pages are complete
  std::uint32_t next_page_ = 0;    // page by page: the next piece
  std::uint16_t next_piece_ = 0;
  std::uint16_t slice_begin_ = 0;  // the slice: pieces [begin, end) of every tail page
  std::uint16_t slice_end_ = 0;    // 0: not cut
  std::uint64_t slice_posted_ = 0;
};

}  // namespace baton
