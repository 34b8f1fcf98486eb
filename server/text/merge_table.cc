#include "server/text/merge_table.h"

#include <utility>

namespace baton {
namespace {

constexpr std::size_t kFirstSlots = 1024;

std::uint64_t PairOf(TokenId left, TokenId right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace

std::size_t MergeTable::SlotOf(std::uint64_t pair) const {
  // Multiplicative hashing. Source: Knuth, The Art of Computer Programming 3, 6.4.
  const std::uint64_t hash = (pair ^ pair >> 29) * 0x9E3779B97F4A7C15U;
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = static_cast<std::size_t>(hash >> 24) & mask;
  while (slots_[slot].pair != kFree && slots_[slot].pair != pair) slot = (slot + 1) & mask;
  return slot;
}

void MergeTable::Grow() {
  std::vector<Slot> old(slots_.empty() ? kFirstSlots : 2 * slots_.size());
  std::swap(old, slots_);
  for (const Slot& slot : old) {
    if (slot.pair != kFree) slots_[SlotOf(slot.pair)] = slot;
  }
}

void MergeTable::Set(TokenId left, TokenId right, Merge merge) {
  if (2 * (size_ + 1) > slots_.size()) Grow();
  Slot& slot = slots_[SlotOf(PairOf(left, right))];
  if (slot.pair == kFree) ++size_;
  slot = {PairOf(left, right), merge};
}

const MergeTable::Merge* MergeTable::Find(TokenId left, TokenId right) const {
  if (slots_.empty()) return nullptr;
  const Slot& slot = slots_[SlotOf(PairOf(left, right))];
  return slot.pair == kFree ? nullptr : &slot.merge;
}

}  // namespace baton
