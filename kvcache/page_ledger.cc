#include "kvcache/page_ledger.h"

namespace baton {

LedgerCount::LedgerCount(const PagePool& pool) : named_(pool.num_pages()) {
  ledger_.pool = pool.num_pages();
  ledger_.free = pool.num_free();
}

std::uint32_t LedgerCount::CountNew(std::span<const PageId> pages) {
  std::uint32_t count = 0;
  for (const PageId page : pages) {
    if (named_[Index(page)]) continue;
    named_[Index(page)] = true;
    ++count;
  }
  return count;
}

}  // namespace baton
