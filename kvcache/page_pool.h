// Owns the right to use KV pages. Owns no memory: a page is a number.
//
// A page is free, or leased by one or more PageLeases (a shared prefix has many). The lease *is*
// the state; there is no flag to forget:
//
//   free --Acquire--> leased --[Share]*--> last lease dies --> free, and findable if it has a key
//
// A free page with a key keeps its content until it is handed out again, least recently released
// first; its key leaves the index before the new owner gets it. Pages without a key go first,
// newest first: a late writer, were there one, would meet a new owner at once instead of a quiet
// page.
//
// Thread: confined to the engine thread. Share and release are O(1) a page.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "base/ids.h"
#include "kvcache/page_list.h"
#include "kvcache/prefix_index.h"

namespace baton {

class PagePool;

/// The right to use some pages, in block-table order. Move-only; gives the pages back when it dies,
/// the last of them first. Must not outlive its pool.
class PageLease {
 public:
  PageLease() = default;
  PageLease(PageLease&& other) noexcept;
  PageLease& operator=(PageLease&& other) noexcept;
  ~PageLease();

  std::span<const PageId> pages() const { return pages_; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(pages_.size()); }

  /// Appends the pages of `tail`, which must come from the same pool.
  void Append(PageLease tail);

 private:
  friend class PagePool;
  PageLease(PagePool* pool, std::vector<PageId> pages) : pool_(pool), pages_(std::move(pages)) {}

  PagePool* pool_ = nullptr;
  std::vector<PageId> pages_;
};

class PagePool {
 public:
  struct Options {
    /// Free pages that stay findable; more are forgotten, least recently released first.
    std::uint32_t cached_pages_max = UINT32_MAX;
  };

  /// `index` outlives the pool; both speak of the same pages.
  PagePool(std::uint32_t num_pages, PrefixIndex& index, Options options);
  PagePool(std::uint32_t num_pages, PrefixIndex& index) : PagePool(num_pages, index, Options{}) {}
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;
  ~PagePool();

  /// Leases `count` free pages, or none. Their content is whatever was there.
  /// Errors: ResourceExhausted when fewer than `count` pages are free.
  absl::StatusOr<PageLease> Acquire(std::uint32_t count);

  /// Leases pages that are already leased, or free and findable: a cached prefix.
  PageLease Share(std::span<const PageId> pages);

  /// Free pages, the findable ones included.
  std::uint32_t num_free() const { return empty_.size() + cached_.size(); }
  std::uint32_t num_cached() const { return cached_.size(); }
  std::uint32_t num_pages() const { return static_cast<std::uint32_t>(lease_counts_.size()); }
  std::uint32_t lease_count(PageId page) const { return lease_counts_[Index(page)]; }

 private:
  friend class PageLease;
  void Release(std::span<const PageId> pages);
  void KeepWithinCacheLimit();

  const Options options_;
  PrefixIndex& index_;
  std::vector<std::uint32_t> lease_counts_;  // [num_pages]; 0 = free
  PageLinks links_;                          // [num_pages]
  PageList empty_;                           // free, no key: back is next
  PageList cached_;                          // free, findable: front is next
};

}  // namespace baton
