// Sets of slots, one a page: which workers hold it. A set is eight bytes that stand in the page's
// table entry:
//
//   up to 4 slots    in the eight bytes themselves, 15 bits each
//   up to 31         a block of 64 bytes
//   more             a bit for every slot there is
//
// Most pages are held by one worker and some, the shared prompts, by all: both ends are cheap.
//
// Thread: one, the owner's.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace baton {

/// A worker's place in every set and in every array of the route: dense, reused.
using Slot = std::uint16_t;

/// A set without a home: its top four bits say how it is kept. Owned by whoever keeps the eight
/// bytes; goes back with HolderSets::Clear.
struct HolderSet {
  std::uint64_t bits = 0;

  bool empty() const { return bits == 0; }
};

/// The members of one set that count: a short list, or a bit each.
struct Holders {
  static constexpr std::size_t kListMax = 31;

  std::size_t count = 0;
  std::array<Slot, kListMax> list;  // the first `count`, unless `many`
  std::vector<std::uint64_t> bits;  // when `many`
  bool many = false;
};

class HolderSets {
 public:
  /// 15 bits a slot in the inline form.
  static constexpr std::size_t kSlotsMax = 1 << 15;

  /// Slots below `count` may be members from now on; grows only, in steps of 64.
  void ReserveSlots(std::size_t count);
  std::size_t words() const { return words_; }

  /// False when it was a member already.
  bool Add(HolderSet& set, Slot slot);
  /// False when it was none.
  bool Remove(HolderSet& set, Slot slot);
  bool Contains(HolderSet set, Slot slot) const;
  void Clear(HolderSet& set);

  /// Drops the members that are not in `live` (words() words).
  void Keep(HolderSet& set, std::span<const std::uint64_t> live);

  /// How many members are in `live`.
  std::size_t Count(HolderSet set, std::span<const std::uint64_t> live) const;
  /// The members in `live`. `holders.bits` must have words() words.
  void Read(HolderSet set, std::span<const std::uint64_t> live, Holders& holders) const;

  template <typename Visit>
  void ForEach(HolderSet set, std::span<const std::uint64_t> live, const Visit& visit) const {
    if (TagOf(set) != kBitsTag) {
      std::array<Slot, kInlineMax> room;
      for (const Slot slot : ListOf(set, room)) {
        if (((live[slot / 64] >> (slot % 64)) & 1) != 0) visit(slot);
      }
      return;
    }
    const std::span<const std::uint64_t> words = BitsAt(PlaceOf(set));
    for (std::size_t w = 0; w < words.size(); ++w) {
      for (std::uint64_t left = words[w] & live[w]; left != 0; left &= left - 1) {
        visit(static_cast<Slot>(64 * w + static_cast<std::size_t>(std::countr_zero(left))));
      }
    }
  }

  /// What the blocks and bits take, free ones included.
  std::size_t bytes() const;
  /// What they take beside that while an Add makes them grow; 0 where it need not.
  std::size_t growth_bytes() const;

 private:
  static constexpr std::uint64_t kBlockTag = 5;  // 0..4: that many inline slots
  static constexpr std::uint64_t kBitsTag = 6;
  static constexpr std::size_t kInlineMax = 4;
  static constexpr std::size_t kBlockMax = Holders::kListMax;
  /// Where a shrinking set changes its form: lower than where a growing one does, so that one
  /// member that comes and goes does not copy the set each time.
  static constexpr std::size_t kToInline = 3;
  static constexpr std::size_t kToBlock = 16;

  struct alignas(64) Block {
    Slot count = 0;
    std::array<Slot, kBlockMax> slots;
  };

  static std::uint64_t TagOf(HolderSet set) { return set.bits >> 60; }
  static std::size_t PlaceOf(HolderSet set) {
    return static_cast<std::size_t>(set.bits & ((1ULL << 60) - 1));
  }
  static Slot InlineAt(HolderSet set, std::size_t i) {
    return static_cast<Slot>((set.bits >> (15 * i)) & 0x7fff);
  }
  static HolderSet Inline(std::span<const Slot> slots);

  std::span<std::uint64_t> BitsAt(std::size_t place) {
    return {bits_.data() + place * words_, words_};
  }
  std::span<const std::uint64_t> BitsAt(std::size_t place) const {
    return {bits_.data() + place * words_, words_};
  }
  std::size_t NewBlock();
  std::size_t NewBits();
  void ToBlock(HolderSet& set, std::span<const Slot> slots);
  void ToBits(HolderSet& set);
  /// The members as a list; for inline sets and blocks.
  std::span<const Slot> ListOf(HolderSet set, std::array<Slot, kInlineMax>& room) const;
  bool RemoveFromBits(HolderSet& set, Slot slot);
  void ShrinkBits(HolderSet& set);
  void AddToList(HolderSet& set, std::span<const Slot> slots, Slot slot);
  void SetList(HolderSet& set, std::span<const Slot> slots);

  std::vector<Block> blocks_;
  std::vector<std::size_t> free_blocks_;
  std::vector<std::uint64_t> bits_;         // words_ words a set
  std::vector<std::uint32_t> bits_counts_;  // members of each
  std::vector<std::size_t> free_bits_;
  std::size_t words_ = 0;
};

}  // namespace baton
