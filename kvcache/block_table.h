// The pages of one sequence, in token order, and the keys of those that are full.
//
// Thread: confined to the engine thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"
#include "kvcache/page_key.h"
#include "kvcache/page_pool.h"
#include "kvcache/prefix_index.h"

namespace baton {

class BlockTable {
 public:
  /// `root`: the parent of the first page (RootKey).
  BlockTable(const PageKey& root, int tokens_per_page)
      : root_(root), tokens_per_page_(tokens_per_page) {}

  /// The longest prefix of `tokens` whose pages are findable, leased; at most `tokens_max` tokens,
  /// whole pages only. Leaves the table as it is.
  PageLease Match(std::span<const TokenId> tokens, int tokens_max, const PrefixIndex& index,
                  PagePool& pool);

  /// Pages that follow those already there.
  void Append(PageLease pages) { lease_.Append(std::move(pages)); }

  std::span<const PageId> pages() const { return lease_.pages(); }
  int capacity_tokens() const { return static_cast<int>(pages().size()) * tokens_per_page_; }

  /// The first `computed` of the sequence's tokens stand in the pages: makes the full pages among
  /// them findable. Never call it for bytes that are still to come.
  void Complete(std::span<const TokenId> tokens, int computed, PrefixIndex& index);

 private:
  /// Extends keys_ to the first `pages` pages of `tokens`.
  void KeyPages(std::span<const TokenId> tokens, std::size_t pages);

  PageKey root_;
  int tokens_per_page_;
  PageLease lease_;
  std::vector<PageKey> keys_;  // of full pages, as far as known
  std::size_t completed_ = 0;  // pages whose keys were given to the index
};

}  // namespace baton
