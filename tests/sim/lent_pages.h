// The pages that an engine has lent to hand-offs, followed from what it says to its transfer side
// and hears from there. A byte that lands in another page, or is read from another, belongs to
// somebody else.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "kvtransfer/inbound_messages.h"
#include "kvtransfer/outbound_messages.h"

namespace baton {

class LentPages {
 public:
  void On(const InboundCommand& command) {
    const auto* grant = std::get_if<GrantInbound>(&command);
    if (grant == nullptr) return;
    std::vector<PageId>& pages = inbound_[grant->id];
    pages.insert(pages.end(), grant->pages.begin(), grant->pages.end());
  }
  void On(const InboundEvent& event) {
    if (const auto* closed = std::get_if<LeaseClosed>(&event)) inbound_.erase(closed->id);
  }
  void On(const OutboundCommand& command) {
    if (const auto* start = std::get_if<StartOutbound>(&command))
      outbound_[start->handoff] = start->pages;
  }
  void On(const OutboundEvent& event) {
    if (const auto* settled = std::get_if<OutboundSettled>(&event))
      outbound_.erase(settled->handoff);
  }

  bool Lent(PageId page) const { return Has(inbound_, page) || Has(outbound_, page); }

  std::uint32_t inbound() const { return Count(inbound_); }
  std::uint32_t outbound() const { return Count(outbound_); }

 private:
  template <typename Key>
  static bool Has(const std::map<Key, std::vector<PageId>>& lent, PageId page) {
    for (const auto& [id, pages] : lent) {
      for (const PageId one : pages) {
        if (one == page) return true;
      }
    }
    return false;
  }

  /// A page of a shared prefix may be lent twice and counts once.
  template <typename Key>
  static std::uint32_t Count(const std::map<Key, std::vector<PageId>>& lent) {
    std::set<PageId> distinct;
    for (const auto& [id, pages] : lent) distinct.insert(pages.begin(), pages.end());
    return static_cast<std::uint32_t>(distinct.size());
  }

  std::map<AttemptId, std::vector<PageId>> inbound_;
  std::map<HandoffId, std::vector<PageId>> outbound_;
};

}  // namespace baton
