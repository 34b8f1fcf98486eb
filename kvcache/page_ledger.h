// Where every page of a pool is, counted from the holders themselves: a page that the pool calls
// leased and nobody names is a leak, and shows as `unaccounted`.
#pragma once

#include <cstdint>

namespace baton {

/// Pages by holder. free + owned + inbound + quarantined + lost + unaccounted = pool.
struct PageLedger {
  std::uint32_t pool = 0;
  std::uint32_t free = 0;         // the findable ones included
  std::uint32_t owned = 0;        // by sequences; a shared page counts once
  std::uint32_t inbound = 0;      // lent to a hand-off: nobody reads them yet
  std::uint32_t quarantined = 0;  // no longer lent, and a late write is not yet ruled out
  std::uint32_t lost = 0;         // as quarantined, until this process ends
  std::uint32_t promised = 0;     // not a state: pages that admitted work may still take

  /// Pages that no holder names; anything but 0 is a leak.
  std::int64_t unaccounted() const {
    return std::int64_t{pool} - free - owned - inbound - quarantined - lost;
  }

  friend bool operator==(const PageLedger&, const PageLedger&) = default;
};

}  // namespace baton
