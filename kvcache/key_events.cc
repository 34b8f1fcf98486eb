#include "kvcache/key_events.h"

namespace baton {

void KeyEventLog::Note(std::uint64_t key, int change) {
  const auto [place, fresh] = places_.try_emplace(key, entries_.size());
  if (fresh) entries_.push_back({key, 0});
  Entry& entry = entries_[place->second];
  if (entry.change != 0) --changed_;
  entry.change += change;
  if (entry.change != 0) ++changed_;
}

KeyEvents KeyEventLog::Take() {
  KeyEvents events{.first_number = next_number_, .stored = {}, .removed = {}};
  for (const Entry& entry : entries_) {
    if (entry.change > 0) events.stored.push_back(entry.key);
    if (entry.change < 0) events.removed.push_back(entry.key);
  }
  next_number_ = events.next_number();
  entries_.clear();
  places_.clear();
  changed_ = 0;
  return events;
}

}  // namespace baton
