// Hands out slots in groups of 16 that belong to one kind of worker (its role and link domain), so
// that a scan over one kind walks whole groups and nothing else.
//
// Thread: one, the owner's.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "router/holder_sets.h"

namespace baton {

/// What the slots of a group have in common.
struct SlotKind {
  bool decode = false;
  std::uint32_t domain = 0;  // of fast links; dense, from 0

  friend bool operator==(const SlotKind&, const SlotKind&) = default;
};

class SlotGroups {
 public:
  static constexpr std::size_t kGroup = 16;

  struct Group {
    SlotKind kind;
    std::uint16_t taken = 0;  // a bit a slot
  };

  /// The lowest free slot of a group of this kind, or of a new one. Nothing at kSlotsMax.
  std::optional<Slot> Acquire(const SlotKind& kind) {
    std::size_t place = groups_.size();
    for (std::size_t g = groups_.size(); g-- > 0;) {
      const Group& group = groups_[g];
      const bool free = group.taken == 0;
      if (group.taken == kFull || (!free && !(group.kind == kind))) continue;
      if (free && place != groups_.size() && groups_[place].taken != 0) continue;
      place = g;
    }
    if (place == groups_.size()) {
      if ((place + 1) * kGroup > HolderSets::kSlotsMax) return std::nullopt;
      groups_.push_back({kind, 0});
    }
    Group& group = groups_[place];
    if (group.taken == 0) {
      group.kind = kind;
      ListRoles();
    }
    std::size_t bit = 0;
    while (((group.taken >> bit) & 1) != 0) ++bit;
    group.taken = static_cast<std::uint16_t>(group.taken | (1U << bit));
    return static_cast<Slot>(place * kGroup + bit);
  }

  void Release(Slot slot) {
    Group& group = groups_[slot / kGroup];
    group.taken = static_cast<std::uint16_t>(group.taken & ~(1U << (slot % kGroup)));
  }

  const std::vector<Group>& groups() const { return groups_; }
  /// The groups of one role, in order.
  const std::vector<std::uint16_t>& of(bool decode) const { return decode ? decode_ : prefill_; }
  /// One more than the highest domain so far.
  std::size_t domains() const { return domains_; }
  std::size_t slots() const { return groups_.size() * kGroup; }

 private:
  static constexpr std::uint16_t kFull = 0xffff;

  void ListRoles() {
    prefill_.clear();
    decode_.clear();
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const SlotKind& kind = groups_[g].kind;
      (kind.decode ? decode_ : prefill_).push_back(static_cast<std::uint16_t>(g));
      domains_ = std::max<std::size_t>(domains_, kind.domain + 1);
    }
  }

  std::vector<Group> groups_;
  std::vector<std::uint16_t> prefill_;
  std::vector<std::uint16_t> decode_;
  std::size_t domains_ = 0;
};

}  // namespace baton
