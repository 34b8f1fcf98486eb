#include "kvcache/block_table.h"

#include <algorithm>

#include "base/check.h"

namespace baton {

void BlockTable::KeyPages(std::span<const TokenId> tokens, std::size_t pages) {
  const auto page = static_cast<std::size_t>(tokens_per_page_);
  BATON_CHECK(pages * page <= tokens.size());
  while (keys_.size() < pages) {
    const PageKey& parent = keys_.empty() ? root_ : keys_.back();
    keys_.push_back(ChainKey(parent, tokens.subspan(keys_.size() * page, page)));
  }
}

PageLease BlockTable::Match(std::span<const TokenId> tokens, int tokens_max,
                            const PrefixIndex& index, PagePool& pool) {
  const std::size_t length = std::min(tokens.size(), static_cast<std::size_t>(tokens_max));
  const std::size_t full = length / static_cast<std::size_t>(tokens_per_page_);
  KeyPages(tokens, full);
  return pool.Share(index.Match(std::span(keys_).first(full)));
}

void BlockTable::Complete(std::span<const TokenId> tokens, int computed, PrefixIndex& index) {
  BATON_CHECK(computed <= capacity_tokens());
  const auto full = static_cast<std::size_t>(computed / tokens_per_page_);
  if (full <= completed_) return;
  KeyPages(tokens, full);
  index.Insert(std::span(keys_).first(full), pages(), completed_);
  completed_ = full;
}

}  // namespace baton
