#include "kvcache/prefix_index.h"

#include "base/check.h"

namespace baton {

std::vector<PageId> PrefixIndex::Match(std::span<const PageKey> keys) const {
  std::vector<PageId> found;
  for (const PageKey& key : keys) {
    const auto entry = pages_.find(key);
    if (entry == pages_.end()) break;
    found.push_back(entry->second);
  }
  return found;
}

void PrefixIndex::Insert(std::span<const PageKey> keys, std::span<const PageId> pages,
                         std::size_t first) {
  BATON_CHECK(pages.size() >= keys.size());
  // A page behind one that lost to another copy would outlive its parent.
  if (first > 0 && first <= keys.size() && !Holds(pages[first - 1])) return;
  for (std::size_t i = first; i < keys.size(); ++i) {
    const auto [entry, inserted] = pages_.try_emplace(keys[i], pages[i]);
    if (!inserted && entry->second != pages[i]) return;
    if (!inserted) continue;
    BATON_CHECK(!Holds(pages[i]));
    keys_[Index(pages[i])] = keys[i];
    events_.Stored(keys[i].low);
  }
}

void PrefixIndex::Forget(PageId page) {
  std::optional<PageKey>& key = keys_[Index(page)];
  if (!key.has_value()) return;
  pages_.erase(*key);
  events_.Removed(key->low);
  key.reset();
}

std::vector<std::uint64_t> PrefixIndex::Snapshot() const {
  std::vector<std::uint64_t> lows;
  lows.reserve(size());
  for (const std::optional<PageKey>& key : keys_) {
    if (key.has_value()) lows.push_back(key->low);
  }
  return lows;
}

}  // namespace baton
