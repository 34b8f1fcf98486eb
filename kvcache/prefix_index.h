// Which page holds which content: from a page's 128-bit key to its number, and back.
//
// Keys are chained, so one key vouches for all before it, and a worker's pages stay
// *prefix-closed*: whoever holds a page holds the page before it too. The pool keeps it so by
// releasing a sequence's pages tail first; Insert() by stopping where somebody else's page already
// carries a key.
//
// Thread: confined to the engine thread. Pure; no decision iterates the hash table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "kvcache/key_events.h"
#include "kvcache/page_key.h"

namespace baton {

class PrefixIndex {
 public:
  explicit PrefixIndex(std::uint32_t num_pages) : keys_(num_pages) { pages_.reserve(num_pages); }

  /// The pages of the longest prefix of `keys` without a hole.
  std::vector<PageId> Match(std::span<const PageKey> keys) const;

  /// Pages [first, keys.size()) of a sequence are complete: makes them findable, up to the first
  /// whose content stands findable in another page already. `pages[i]` holds `keys[i]`.
  void Insert(std::span<const PageKey> keys, std::span<const PageId> pages, std::size_t first);

  /// The page's content is about to go. Harmless for a page without a key.
  void Forget(PageId page);

  bool Holds(PageId page) const { return keys_[Index(page)].has_value(); }
  std::size_t size() const { return pages_.size(); }

  /// What became findable and what ceased to be since the last call, and all there is.
  KeyEventLog& events() { return events_; }
  const KeyEventLog& events() const { return events_; }

  /// Low halves of all keys, by page number.
  std::vector<std::uint64_t> Snapshot() const;

 private:
  absl::flat_hash_map<PageKey, PageId> pages_;  // looked up, never iterated
  std::vector<std::optional<PageKey>> keys_;    // [num_pages]
  KeyEventLog events_;
};

}  // namespace baton
