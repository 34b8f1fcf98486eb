// What a router must hear of a worker's prefix index: keys that became findable, keys that ceased
// to be, numbered from the start of the worker's life so that a gap can be seen.
//
// Between two Take()s a key that came and went leaves no event: only the net change is told.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace baton {

/// Low halves of page keys. Numbers first_number .. first_number + stored + removed - 1.
struct KeyEvents {
  std::uint64_t first_number = 0;
  std::vector<std::uint64_t> stored;
  std::vector<std::uint64_t> removed;

  std::uint64_t next_number() const { return first_number + stored.size() + removed.size(); }
  bool empty() const { return stored.empty() && removed.empty(); }
};

class KeyEventLog {
 public:
  void Stored(std::uint64_t key) { Note(key, +1); }
  void Removed(std::uint64_t key) { Note(key, -1); }

  bool empty() const { return changed_ == 0; }
  std::uint64_t next_number() const { return next_number_; }

  /// The net change since the last call, in the order in which it began.
  KeyEvents Take();

 private:
  struct Entry {
    std::uint64_t key;
    int change;  // -1, 0, +1
  };

  void Note(std::uint64_t key, int change);

  std::vector<Entry> entries_;
  absl::flat_hash_map<std::uint64_t, std::size_t> places_;  // of a key in entries_
  std::size_t changed_ = 0;                                 // entries with change != 0
  std::uint64_t next_number_ = 0;
};

}  // namespace baton
