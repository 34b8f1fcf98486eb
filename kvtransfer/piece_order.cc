#include "kvtransfer/piece_order.h"

#include "base/check.h"

namespace baton {

bool PieceOrder::Next(std::uint32_t ahead, PieceToSend& piece) const {
  if (sliced()) {
    const std::uint64_t place = slice_posted_ + ahead;
    if (place >= slice_pieces()) return false;
    const std::uint64_t width = slice_end_ - slice_begin_;
    piece = {static_cast<std::uint32_t>(tail_first() + place / width),
             static_cast<std::uint16_t>(slice_begin_ + place % width)};
    return true;
  }
  if (plan_.piece_bytes == 0) return false;  // no session yet
  const std::uint64_t place = next_piece_ + std::uint64_t{ahead};
  const std::uint64_t page = next_page_ + place / plan_.pieces();
  if (page >= std::min(ready_end_, granted_end_)) return false;
  piece = {static_cast<std::uint32_t>(page), static_cast<std::uint16_t>(place % plan_.pieces())};
  return true;
}

void PieceOrder::Posted(std::uint32_t count) {
  if (sliced()) {
    slice_posted_ += count;
    BATON_CHECK(slice_posted_ <= slice_pieces());
    const bool last = slice_end_ == plan_.pieces() && slice_posted_ == slice_pieces();
    if (last) next_page_ = num_pages_;
  } else {
    const std::uint64_t place = next_piece_ + std::uint64_t{count};
    next_page_ += static_cast<std::uint32_t>(place / plan_.pieces());
    next_piece_ = static_cast<std::uint16_t>(place % plan_.pieces());
  }
  OpenSlice();
}

bool PieceOrder::MayCut() const {
  if (plan_.piece_bytes == 0 || front_bytes_ == 0) return false;
  if (granted_end_ != num_pages_ || ready_end_ == num_pages_) return false;
  return next_page_ == tail_first() && next_piece_ == 0 && next_page_ < num_pages_;
}

void PieceOrder::OpenSlice() {
  if (sliced() ? slice_posted_ < slice_pieces() : !MayCut()) return;
  const std::uint16_t done = fronts();
  if (done <= slice_end_) return;  // no layer more, or no whole piece of one
  slice_begin_ = slice_end_;
  slice_end_ = done;
  slice_posted_ = 0;
}

}  // namespace baton
