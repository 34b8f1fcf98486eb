#include "router/page_table.h"

#include "base/check.h"

namespace baton {

HolderSet PageTable::Find(std::uint64_t key) const {
  for (std::size_t place = HomeOf(key);; place = Next(place)) {
    const Entry& entry = entries_[place];
    if (entry.set.empty() || entry.key == key) return entry.set;
  }
}

PageTable::Entry* PageTable::FindEntry(std::uint64_t key) {
  for (std::size_t place = HomeOf(key);; place = Next(place)) {
    Entry& entry = entries_[place];
    if (entry.set.empty()) return nullptr;
    if (entry.key == key) return &entry;
  }
}

PageTable::Entry& PageTable::Insert(std::uint64_t key) {
  BATON_CHECK(!full());
  std::size_t place = HomeOf(key);
  while (!entries_[place].set.empty()) {
    if (entries_[place].key == key) return entries_[place];
    place = Next(place);
  }
  entries_[place].key = key;
  ++size_;
  return entries_[place];
}

PageTable::Moved PageTable::Erase(std::size_t place) {
  const std::size_t first = place;
  std::size_t hole = place;
  std::size_t last = place;
  for (std::size_t next = Next(hole); !entries_[next].set.empty(); next = Next(next)) {
    // It may move back to the hole unless its home lies behind the hole, on the way to it.
    const std::size_t home = HomeOf(entries_[next].key);
    const bool between = hole <= next ? hole < home && home <= next : hole < home || home <= next;
    if (between) continue;
    entries_[hole] = entries_[next];
    hole = next;
    last = next;
  }
  entries_[hole] = Entry{};
  --size_;
  return {first, last};
}

void PageTable::Grow() {
  std::vector<Entry> old(GrownCapacity());
  old.swap(entries_);
  for (const Entry& entry : old) {
    if (entry.set.empty()) continue;
    std::size_t place = HomeOf(entry.key);
    while (!entries_[place].set.empty()) place = Next(place);
    entries_[place] = entry;
  }
}

}  // namespace baton
