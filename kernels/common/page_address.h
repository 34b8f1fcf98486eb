// Where a token's row stands in a layer of the page pool. 64-bit throughout: a pool passes 2^31
// elements at a few thousand pages.
#pragma once

#include <cstddef>
#include <cstdint>

namespace baton {

struct PageGeometry {
  int tokens_per_page = 0;
  std::size_t page_stride_bytes = 0;  // from a layer of a page to the same layer of the next page
  std::size_t token_bytes = 0;

  /// Of the token at `offset` of `page`, from the layer's part of page 0.
  constexpr std::size_t OffsetOf(std::int64_t page, int offset) const {
    return static_cast<std::size_t>(page) * page_stride_bytes +
           static_cast<std::size_t>(offset) * token_bytes;
  }
  /// Of a slot: page * tokens_per_page + offset, >= 0.
  constexpr std::size_t OffsetOfSlot(std::int64_t slot) const {
    return OffsetOf(slot / tokens_per_page, static_cast<int>(slot % tokens_per_page));
  }
};

}  // namespace baton
