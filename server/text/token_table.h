// Byte strings and the ids of the tokens that they are, both ways. Compact: a vocabulary of a
// million tokens costs some 30 bytes a token beside its text.
//
// Thread: any, once filled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/ids.h"

namespace baton {

/// Where a table has no token.
inline constexpr TokenId kNoToken = -1;

class TokenTable {
 public:
  /// `id` is not negative; memory grows with the largest. False when `bytes` or `id` is there
  /// already; the table is then unchanged.
  bool Add(absl::string_view bytes, TokenId id);

  TokenId Find(absl::string_view bytes) const;

  bool Contains(TokenId id) const;

  /// Empty when there is no such token. Valid until the next Add.
  absl::string_view BytesOf(TokenId id) const;

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::size_t begin;  // in text_
    std::uint32_t bytes;
    TokenId id;
  };

  absl::string_view TextOf(const Entry& entry) const;
  std::size_t SlotOf(absl::string_view bytes) const;
  void Grow();

  std::string text_;
  std::vector<Entry> entries_;        // in the order of adding
  std::vector<std::uint32_t> slots_;  // open addressing: index of an entry + 1, 0 where free
  std::vector<std::uint32_t> by_id_;  // the same, by id
};

}  // namespace baton
