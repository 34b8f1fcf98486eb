// Where every page of a pool is, counted from the holders themselves: a page that the pool calls
// leased and nobody names is a leak, and shows as `unaccounted`.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/ids.h"
#include "kvcache/page_pool.h"

namespace baton {

/// Pages by holder. free + owned + inbound + quarantined + lost + unaccounted = pool.
struct PageLedger {
  std::uint32_t pool = 0;
  std::uint32_t free = 0;     // the findable ones included
  std::uint32_t owned = 0;    // by sequences; a shared page counts once
  std::uint32_t inbound = 0;  // lent to a hand-off: nobody reads them yet
  // With validated messages a closed lease is quiet at once, so these two stay 0.
  std::uint32_t quarantined = 0;  // no longer lent, and a late write is not yet ruled out
  std::uint32_t lost = 0;         // as quarantined, until this process ends
  std::uint32_t promised = 0;     // not a state: pages that admitted work may still take

  /// Pages that no holder names; anything but 0 is a leak.
  std::int64_t unaccounted() const {
    return std::int64_t{pool} - free - owned - inbound - quarantined - lost;
  }

  friend bool operator==(const PageLedger&, const PageLedger&) = default;
};

/// Counts a pool's pages holder by holder. A page counts for the first holder that names it.
class LedgerCount {
 public:
  explicit LedgerCount(const PagePool& pool);

  void AddOwned(std::span<const PageId> pages) { ledger_.owned += CountNew(pages); }
  void AddInbound(std::span<const PageId> pages) { ledger_.inbound += CountNew(pages); }

  const PageLedger& ledger() const { return ledger_; }

 private:
  std::uint32_t CountNew(std::span<const PageId> pages);

  PageLedger ledger_;
  std::vector<bool> named_;  // [pool]
};

}  // namespace baton
