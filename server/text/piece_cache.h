// The tokens of pieces that came before: most of a text is a few thousand words again and again.
// Bounded: when it is full it is emptied, and the common words are soon back.
//
// Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "base/ids.h"

namespace baton {

class PieceCache {
 public:
  static constexpr std::size_t kPieceBytesMax = 48;  // longer ones seldom come again
  static constexpr std::size_t kPiecesMax = 1 << 15;

  /// Null when the piece is not there. Valid until the next Put.
  const std::span<const TokenId>* Find(absl::string_view piece);

  /// `piece` has at most kPieceBytesMax bytes and is not there yet.
  void Put(absl::string_view piece, std::span<const TokenId> tokens);

 private:
  struct Place {
    std::uint32_t begin;  // in tokens_
    std::uint32_t count;
  };

  absl::flat_hash_map<std::string, Place> places_;
  std::vector<TokenId> tokens_;
  std::span<const TokenId> found_;
};

}  // namespace baton
