// How a page is cut into the pieces that frames carry: as many layers as fit a frame, or one layer
// halved until it fits; the last piece of a page may be shorter. Computed by the receiver from its
// own layout and the session's wire, and told at the handshake.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "kvcache/kv_layout.h"

namespace baton {

struct PiecePlan {
  std::uint64_t page_bytes = 0;
  std::uint32_t piece_bytes = 0;

  static PiecePlan Of(const KvLayout& layout, std::size_t frame_bytes_max) {
    std::size_t bytes = layout.LayerBytes();
    while (bytes > frame_bytes_max) bytes = (bytes + 1) / 2;
    if (bytes == layout.LayerBytes()) bytes *= frame_bytes_max / bytes;
    return {layout.PageBytes(), static_cast<std::uint32_t>(std::min(bytes, layout.PageBytes()))};
  }

  /// False for plans that no receiver may name: nothing to cut, or more pieces than a u16 counts.
  bool valid() const {
    return page_bytes > 0 && piece_bytes > 0 && (page_bytes - 1) / piece_bytes < 0xffff;
  }
  std::uint16_t pieces() const {
    return static_cast<std::uint16_t>((page_bytes + piece_bytes - 1) / piece_bytes);
  }
  std::uint64_t OffsetOf(std::uint16_t piece) const { return std::uint64_t{piece} * piece_bytes; }
  std::uint32_t BytesOf(std::uint16_t piece) const {
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(piece_bytes, page_bytes - OffsetOf(piece)));
  }
};

}  // namespace baton
