// From a page's 64-bit key to who holds it: open addressing in 16-byte entries, linear probing, at
// most 7 of 10 full, deletion by shifting back, so that no tombstone is ever walked over.
//
// A home is the key's mixed bits scaled to the capacity, so the table grows by a fifth at a time,
// in one pass from front to back: an entry takes 16 / 0.7 = 23 bytes when it is about to grow and
// 27.4 after.
//
// Thread: one, the owner's. No decision iterates it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "router/holder_sets.h"

namespace baton {

class PageTable {
 public:
  struct Entry {
    std::uint64_t key = 0;
    HolderSet set;  // empty: a free entry
  };

  PageTable() : entries_(kCapacityMin) {}

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return entries_.size(); }
  std::size_t bytes() const { return entries_.size() * sizeof(Entry); }

  /// Spreads keys that somebody might number by hand: high bits place, low bits sample.
  /// Source: the finalizer of MurmurHash3 (public domain), fmix64.
  static std::uint64_t Mix(std::uint64_t key) {
    key = (key ^ (key >> 33)) * 0xff51afd7ed558ccdULL;
    key = (key ^ (key >> 33)) * 0xc4ceb9fe1a85ec53ULL;
    return key ^ (key >> 33);
  }

  /// Asks for the key's entry ahead of Find.
  void Prefetch(std::uint64_t key) const { __builtin_prefetch(&entries_[HomeOf(key)]); }

  /// Who holds the page; the empty set when nobody does.
  HolderSet Find(std::uint64_t key) const;

  /// The key's entry, or null. Valid until the next insertion or erasure.
  Entry* FindEntry(std::uint64_t key);

  /// The key's entry, or a fresh one whose set is empty: fill it at once. Not when full().
  Entry& Insert(std::uint64_t key);

  /// Where an erasure moved entries: out of (first, last], one or more places back, modulo
  /// capacity().
  struct Moved {
    std::size_t first = 0;
    std::size_t last = 0;
  };
  /// The set was given back before.
  Moved Erase(std::size_t place);
  std::size_t PlaceOf(const Entry& entry) const {
    return static_cast<std::size_t>(&entry - entries_.data());
  }
  Entry& At(std::size_t place) { return entries_[place]; }

  /// Whether one more key needs Grow() first.
  bool full() const { return (size_ + 1) * 10 > entries_.size() * 7; }
  std::size_t grown_bytes() const { return GrownCapacity() * sizeof(Entry); }
  void Grow();

 private:
  static constexpr std::size_t kCapacityMin = 64;

  std::size_t HomeOf(std::uint64_t key) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::size_t>((static_cast<Wide>(Mix(key)) * entries_.size()) >> 64);
  }
  std::size_t Next(std::size_t place) const { return place + 1 == entries_.size() ? 0 : place + 1; }
  std::size_t GrownCapacity() const { return entries_.size() + entries_.size() / 5; }

  std::vector<Entry> entries_;
  std::size_t size_ = 0;
};

}  // namespace baton
