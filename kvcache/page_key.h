// Names of page contents: 128 bits of a chained SHA-256 over (parent key, the page's token ids),
// with the namespace (model revision, layout, tenant salt) in the seed. By chaining, one key names
// the whole prefix up to and including its page.
//
// Workers match on the whole key; a router's index may use the low 64 bits, where a collision costs
// a poorer route, never a wrong token.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/ids.h"

namespace baton {

struct PageKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const PageKey&, const PageKey&) = default;

  template <typename Hash>
  friend Hash AbslHashValue(Hash state, const PageKey& key) {
    return Hash::combine(std::move(state), key.high, key.low);
  }
};

/// The parent of the first page: SHA-256 of (key_namespace, salt), cut to 128 bits.
PageKey RootKey(absl::string_view key_namespace, absl::string_view salt);

/// The key of the page that holds `tokens` (a full page, or the last partial one) after `parent`.
PageKey ChainKey(const PageKey& parent, std::span<const TokenId> tokens);

/// Keys of all *full* pages of `tokens`, in order.
std::vector<PageKey> PageKeysOf(const PageKey& root, std::span<const TokenId> tokens,
                                int tokens_per_page);

/// The key of the whole prompt, its partial last page included: proves in 16 bytes that both ends
/// of a hand-off mean the same tokens.
PageKey PromptKeyOf(const PageKey& root, std::span<const TokenId> tokens, int tokens_per_page);

}  // namespace baton
