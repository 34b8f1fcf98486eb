// Numbers for the names of link domains (a host, an NVLink island, a rack: workers inside have the
// fast links to each other), dense, so that arrays can be kept by them. A domain without workers
// gives its number back.
//
// Thread: one, the planner's.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace baton {

class LinkDomains {
 public:
  /// One more worker there.
  std::uint32_t Enter(const std::string& name) {
    const auto [entry, fresh] = domains_.try_emplace(name);
    if (fresh && free_.empty()) {
      entry->second.number = static_cast<std::uint32_t>(domains_.size() - 1);
    } else if (fresh) {
      entry->second.number = *free_.begin();
      free_.erase(free_.begin());
    }
    ++entry->second.workers;
    return entry->second.number;
  }

  /// One less.
  void Leave(const std::string& name) {
    const auto entry = domains_.find(name);
    if (entry == domains_.end() || --entry->second.workers > 0) return;
    free_.insert(entry->second.number);
    domains_.erase(entry);
  }

 private:
  struct Domain {
    std::uint32_t number = 0;
    int workers = 0;
  };

  std::map<std::string, Domain> domains_;
  std::set<std::uint32_t> free_;  // numbers below the highest that nobody has
};

}  // namespace baton
