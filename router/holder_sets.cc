#include "router/holder_sets.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace baton {
namespace {

constexpr std::size_t kWordBits = 64;

bool IsIn(std::span<const std::uint64_t> words, Slot slot) {
  return ((words[slot / kWordBits] >> (slot % kWordBits)) & 1) != 0;
}

void Put(std::span<std::uint64_t> words, Slot slot) {
  words[slot / kWordBits] |= 1ULL << (slot % kWordBits);
}

// Grows by a quarter: what the blocks take is part of a bound in bytes.
template <typename Item>
std::size_t Grown(const std::vector<Item>& items, std::size_t count) {
  if (items.size() + count <= items.capacity()) return 0;
  return items.size() + std::max(count, items.size() / 4);
}

template <typename Item>
void Append(std::vector<Item>& items, std::size_t count) {
  if (const std::size_t capacity = Grown(items, count); capacity > 0) items.reserve(capacity);
  items.resize(items.size() + count);
}

}  // namespace

void HolderSets::ReserveSlots(std::size_t count) {
  BATON_CHECK(count <= kSlotsMax);
  const std::size_t words = (count + kWordBits - 1) / kWordBits;
  if (words <= words_) return;
  std::vector<std::uint64_t> wider(bits_counts_.size() * words, 0);
  for (std::size_t place = 0; place < bits_counts_.size(); ++place) {
    std::copy_n(bits_.begin() + static_cast<std::ptrdiff_t>(place * words_), words_,
                wider.begin() + static_cast<std::ptrdiff_t>(place * words));
  }
  bits_ = std::move(wider);
  words_ = words;
}

HolderSet HolderSets::Inline(std::span<const Slot> slots) {
  std::uint64_t bits = std::uint64_t{slots.size()} << 60;
  for (std::size_t i = 0; i < slots.size(); ++i) bits |= std::uint64_t{slots[i]} << (15 * i);
  return {slots.empty() ? 0 : bits};
}

std::size_t HolderSets::NewBlock() {
  if (free_blocks_.empty()) {
    Append(blocks_, 1);
    return blocks_.size() - 1;
  }
  const std::size_t place = free_blocks_.back();
  free_blocks_.pop_back();
  return place;
}

std::size_t HolderSets::NewBits() {
  if (free_bits_.empty()) {
    Append(bits_, words_);
    Append(bits_counts_, 1);
    return bits_counts_.size() - 1;
  }
  const std::size_t place = free_bits_.back();
  free_bits_.pop_back();
  std::fill(BitsAt(place).begin(), BitsAt(place).end(), 0);
  bits_counts_[place] = 0;
  return place;
}

void HolderSets::ToBlock(HolderSet& set, std::span<const Slot> slots) {
  const std::size_t place = NewBlock();  // `slots` is no part of a block
  Block& block = blocks_[place];
  block.count = static_cast<Slot>(slots.size());
  std::copy(slots.begin(), slots.end(), block.slots.begin());
  set.bits = kBlockTag << 60 | place;
}

void HolderSets::ToBits(HolderSet& set) {
  const std::size_t place = NewBits();
  const std::size_t old = PlaceOf(set);
  const Block& block = blocks_[old];
  for (std::size_t i = 0; i < block.count; ++i) Put(BitsAt(place), block.slots[i]);
  bits_counts_[place] = block.count;
  free_blocks_.push_back(old);
  set.bits = kBitsTag << 60 | place;
}

std::span<const Slot> HolderSets::ListOf(HolderSet set, std::array<Slot, kInlineMax>& room) const {
  if (TagOf(set) == kBlockTag) {
    const Block& block = blocks_[PlaceOf(set)];
    return {block.slots.data(), block.count};
  }
  const std::size_t count = TagOf(set);
  for (std::size_t i = 0; i < count; ++i) room[i] = InlineAt(set, i);
  return {room.data(), count};
}

bool HolderSets::Contains(HolderSet set, Slot slot) const {
  if (TagOf(set) == kBitsTag) return IsIn(BitsAt(PlaceOf(set)), slot);
  std::array<Slot, kInlineMax> room;
  const std::span<const Slot> slots = ListOf(set, room);
  return std::find(slots.begin(), slots.end(), slot) != slots.end();
}

bool HolderSets::Add(HolderSet& set, Slot slot) {
  BATON_CHECK(slot / kWordBits < words_);
  if (Contains(set, slot)) return false;
  if (TagOf(set) == kBlockTag && blocks_[PlaceOf(set)].count == kBlockMax) ToBits(set);
  if (TagOf(set) == kBitsTag) {
    Put(BitsAt(PlaceOf(set)), slot);
    ++bits_counts_[PlaceOf(set)];
    return true;
  }
  std::array<Slot, kInlineMax> room;
  AddToList(set, ListOf(set, room), slot);
  return true;
}

void HolderSets::AddToList(HolderSet& set, std::span<const Slot> slots, Slot slot) {
  if (TagOf(set) == kBlockTag) {
    Block& block = blocks_[PlaceOf(set)];
    block.slots[block.count++] = slot;
    return;
  }
  std::array<Slot, kInlineMax + 1> more;
  std::copy(slots.begin(), slots.end(), more.begin());
  more[slots.size()] = slot;
  const std::span<const Slot> all(more.data(), slots.size() + 1);
  if (all.size() > kInlineMax) return ToBlock(set, all);
  set = Inline(all);
}

bool HolderSets::Remove(HolderSet& set, Slot slot) {
  if (!Contains(set, slot)) return false;
  if (TagOf(set) == kBitsTag) return RemoveFromBits(set, slot);
  std::array<Slot, kInlineMax> room;
  const std::span<const Slot> slots = ListOf(set, room);
  std::array<Slot, kBlockMax> rest;
  const auto end = std::remove_copy(slots.begin(), slots.end(), rest.begin(), slot);
  SetList(set, {rest.begin(), end});
  return true;
}

// `slots`: what is left of an inline set or a block, outside of both.
void HolderSets::SetList(HolderSet& set, std::span<const Slot> slots) {
  const bool block = TagOf(set) == kBlockTag;
  if (block && slots.size() > kToInline) {
    Block& kept = blocks_[PlaceOf(set)];
    std::copy(slots.begin(), slots.end(), kept.slots.begin());
    kept.count = static_cast<Slot>(slots.size());
    return;
  }
  if (block) free_blocks_.push_back(PlaceOf(set));
  set = Inline(slots);
}

bool HolderSets::RemoveFromBits(HolderSet& set, Slot slot) {
  const std::size_t place = PlaceOf(set);
  BitsAt(place)[slot / kWordBits] &= ~(1ULL << (slot % kWordBits));
  --bits_counts_[place];
  ShrinkBits(set);
  return true;
}

void HolderSets::ShrinkBits(HolderSet& set) {
  const std::size_t place = PlaceOf(set);
  if (bits_counts_[place] > kToBlock) return;
  std::array<Slot, kToBlock> slots;
  std::size_t count = 0;
  const std::span<const std::uint64_t> words = BitsAt(place);
  for (std::size_t w = 0; w < words.size(); ++w) {
    for (std::uint64_t left = words[w]; left != 0; left &= left - 1) {
      slots[count++] =
          static_cast<Slot>(w * kWordBits + static_cast<std::size_t>(std::countr_zero(left)));
    }
  }
  free_bits_.push_back(place);
  const std::span<const Slot> rest(slots.data(), count);
  if (count <= kInlineMax) {
    set = Inline(rest);
  } else {
    ToBlock(set, rest);
  }
}

void HolderSets::Clear(HolderSet& set) {
  if (TagOf(set) == kBlockTag) free_blocks_.push_back(PlaceOf(set));
  if (TagOf(set) == kBitsTag) free_bits_.push_back(PlaceOf(set));
  set.bits = 0;
}

void HolderSets::Keep(HolderSet& set, std::span<const std::uint64_t> live) {
  if (TagOf(set) == kBitsTag) {
    const std::span<std::uint64_t> words = BitsAt(PlaceOf(set));
    std::uint32_t count = 0;
    for (std::size_t w = 0; w < words.size(); ++w) {
      words[w] &= live[w];
      count += static_cast<std::uint32_t>(std::popcount(words[w]));
    }
    bits_counts_[PlaceOf(set)] = count;
    return ShrinkBits(set);
  }
  std::array<Slot, kInlineMax> room;
  const std::span<const Slot> slots = ListOf(set, room);
  std::array<Slot, kBlockMax> rest;
  const auto end = std::remove_copy_if(slots.begin(), slots.end(), rest.begin(),
                                       [live](Slot slot) { return !IsIn(live, slot); });
  if (static_cast<std::size_t>(end - rest.begin()) == slots.size()) return;
  SetList(set, {rest.begin(), end});
}

std::size_t HolderSets::Count(HolderSet set, std::span<const std::uint64_t> live) const {
  if (TagOf(set) == kBitsTag) {
    const std::span<const std::uint64_t> words = BitsAt(PlaceOf(set));
    std::size_t count = 0;
    for (std::size_t w = 0; w < words.size(); ++w) {
      count += static_cast<std::size_t>(std::popcount(words[w] & live[w]));
    }
    return count;
  }
  std::array<Slot, kInlineMax> room;
  std::size_t count = 0;
  for (const Slot slot : ListOf(set, room)) count += IsIn(live, slot) ? 1 : 0;
  return count;
}

void HolderSets::Read(HolderSet set, std::span<const std::uint64_t> live, Holders& holders) const {
  holders.count = 0;
  holders.many = TagOf(set) == kBitsTag;
  if (holders.many) {
    const std::span<const std::uint64_t> words = BitsAt(PlaceOf(set));
    for (std::size_t w = 0; w < words.size(); ++w) {
      holders.bits[w] = words[w] & live[w];
      holders.count += static_cast<std::size_t>(std::popcount(holders.bits[w]));
    }
    return;
  }
  std::array<Slot, kInlineMax> room;
  for (const Slot slot : ListOf(set, room)) {
    if (IsIn(live, slot)) holders.list[holders.count++] = slot;
  }
}

std::size_t HolderSets::growth_bytes() const {
  std::size_t bytes = 0;
  if (free_blocks_.empty()) bytes += Grown(blocks_, 1) * sizeof(Block);
  if (free_bits_.empty()) bytes += Grown(bits_, words_) * sizeof(std::uint64_t);
  return bytes;
}

std::size_t HolderSets::bytes() const {
  return blocks_.capacity() * sizeof(Block) +
         (free_blocks_.capacity() + free_bits_.capacity()) * sizeof(std::size_t) +
         bits_.capacity() * sizeof(std::uint64_t) + bits_counts_.capacity() * sizeof(std::uint32_t);
}

}  // namespace baton
