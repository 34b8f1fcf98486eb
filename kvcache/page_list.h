// A doubly linked list of pages whose links live in one array: pushing, popping and taking a page
// out of the middle are O(1) and allocate nothing. A page is in at most one list.
#pragma once

#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/ids.h"

namespace baton {

inline constexpr PageId kNoPage{UINT32_MAX};

/// The links of every page, shared by all lists of a pool.
struct PageLinks {
  explicit PageLinks(std::uint32_t num_pages)
      : before(num_pages, kNoPage), after(num_pages, kNoPage) {}

  std::vector<PageId> before;
  std::vector<PageId> after;
};

class PageList {
 public:
  explicit PageList(PageLinks& links) : links_(links) {}

  std::uint32_t size() const { return size_; }
  PageId front() const { return front_; }
  PageId back() const { return back_; }

  void PushBack(PageId page) {
    links_.before[Index(page)] = back_;
    links_.after[Index(page)] = kNoPage;
    (back_ == kNoPage ? front_ : links_.after[Index(back_)]) = page;
    back_ = page;
    ++size_;
  }

  /// `page` must be in this list.
  void Remove(PageId page) {
    BATON_CHECK(size_ > 0);
    const PageId before = links_.before[Index(page)];
    const PageId after = links_.after[Index(page)];
    (before == kNoPage ? front_ : links_.after[Index(before)]) = after;
    (after == kNoPage ? back_ : links_.before[Index(after)]) = before;
    --size_;
  }

 private:
  PageLinks& links_;
  PageId front_ = kNoPage;
  PageId back_ = kNoPage;
  std::uint32_t size_ = 0;
};

}  // namespace baton
