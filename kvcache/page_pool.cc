#include "kvcache/page_pool.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"

namespace baton {

PageLease::PageLease(PageLease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)), pages_(std::exchange(other.pages_, {})) {}

PageLease& PageLease::operator=(PageLease&& other) noexcept {
  PageLease gone(std::move(*this));
  pool_ = std::exchange(other.pool_, nullptr);
  pages_ = std::exchange(other.pages_, {});
  return *this;
}

PageLease::~PageLease() {
  if (pool_ != nullptr) pool_->Release(pages_);
}

void PageLease::Append(PageLease tail) {
  BATON_CHECK(pool_ == nullptr || tail.pool_ == nullptr || pool_ == tail.pool_);
  if (pool_ == nullptr) pool_ = tail.pool_;
  pages_.insert(pages_.end(), tail.pages_.begin(), tail.pages_.end());
  tail.pool_ = nullptr;  // the right moved with the pages
  tail.pages_.clear();
}

PagePool::PagePool(std::uint32_t num_pages, PrefixIndex& index, Options options)
    : options_(options),
      index_(index),
      lease_counts_(num_pages, 0),
      links_(num_pages),
      empty_(links_),
      cached_(links_) {
  // Page 0 is the first to go out.
  for (std::uint32_t page = num_pages; page-- > 0;) empty_.PushBack(PageId{page});
}

PagePool::~PagePool() { BATON_CHECK(num_free() == num_pages()); }

absl::StatusOr<PageLease> PagePool::Acquire(std::uint32_t count) {
  if (count > num_free()) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("%d pages wanted, %d of %d free", count, num_free(), num_pages()));
  }
  std::vector<PageId> pages;
  pages.reserve(count);
  while (pages.size() < count) {
    const bool from_cache = empty_.size() == 0;
    PageList& list = from_cache ? cached_ : empty_;
    const PageId page = from_cache ? cached_.front() : empty_.back();
    BATON_CHECK(lease_counts_[Index(page)] == 0);
    list.Remove(page);
    index_.Forget(page);  // before anybody else owns the page: no hit on bytes to come
    lease_counts_[Index(page)] = 1;
    pages.push_back(page);
  }
  return PageLease(this, std::move(pages));
}

PageLease PagePool::Share(std::span<const PageId> pages) {
  for (const PageId page : pages) {
    if (lease_counts_[Index(page)]++ > 0) continue;
    BATON_CHECK(index_.Holds(page));
    cached_.Remove(page);
  }
  return PageLease(this, {pages.begin(), pages.end()});
}

void PagePool::Release(std::span<const PageId> pages) {
  // Tail first: a page never leaves the cache before those that build on it.
  for (std::size_t i = pages.size(); i-- > 0;) {
    const PageId page = pages[i];
    BATON_CHECK(lease_counts_[Index(page)] > 0);
    if (--lease_counts_[Index(page)] > 0) continue;
    (index_.Holds(page) ? cached_ : empty_).PushBack(page);
  }
  KeepWithinCacheLimit();
}

void PagePool::KeepWithinCacheLimit() {
  while (cached_.size() > options_.cached_pages_max) {
    const PageId page = cached_.front();
    cached_.Remove(page);
    index_.Forget(page);
    empty_.PushBack(page);
  }
}

}  // namespace baton
