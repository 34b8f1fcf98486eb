// Which two tokens merge into which, and how early: the rules of byte pair encoding.
//
// Thread: any, once filled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace baton {

class MergeTable {
 public:
  struct Merge {
    std::uint32_t rank = 0;  // lower merges first
    TokenId result = 0;
  };

  /// A pair that is there already takes the new rule, as the published reader does.
  void Set(TokenId left, TokenId right, Merge merge);

  /// Null when the two do not merge. Valid until the next Set.
  const Merge* Find(TokenId left, TokenId right) const;

 private:
  struct Slot {
    std::uint64_t pair = kFree;
    Merge merge;
  };
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};  // no pair: ids are not negative

  std::size_t SlotOf(std::uint64_t pair) const;
  void Grow();

  std::vector<Slot> slots_;  // open addressing
  std::size_t size_ = 0;
};

}  // namespace baton
