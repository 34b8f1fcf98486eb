// How sessions ended, and over which field they were refused: the labels of baton_sessions_total
// and baton_hello_refused_total. Plain values, copied with the stats they stand in each round.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace baton {

enum class SessionEnd {
  kLost,      // the transport, a gap in its messages, or silence
  kNoAnswer,  // nobody answered Hello in time
  kRefused,   // Hello, or its answer, was refused
  kDrained,   // one end drains, and no hand-off lives
  kReplaced,  // the same worker came again
  kEvicted,   // idle, and its place was wanted
};
inline constexpr std::array<const char*, 6> kSessionEndNames = {"lost",    "no_answer", "refused",
                                                                "drained", "replaced",  "evicted"};

/// Sessions ended since the start, by end.
class SessionEnds {
 public:
  void Count(SessionEnd end) { ++counts_[static_cast<std::size_t>(end)]; }
  std::uint64_t operator[](SessionEnd end) const { return counts_[static_cast<std::size_t>(end)]; }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts_) sum += count;
    return sum;
  }

 private:
  std::array<std::uint64_t, kSessionEndNames.size()> counts_{};
};

/// Refused handshakes since the start, by field. Names are cut to fit, and beyond the table's size
/// all are "other": a label that a peer can make must not grow.
class RefusedFields {
 public:
  static constexpr std::size_t kFieldsMax = 24;
  struct Entry {
    std::array<char, 24> field{};  // ends with a zero
    std::uint64_t count = 0;
  };

  void Count(absl::string_view field) {
    Entry& entry = EntryOf(field);
    ++entry.count;
  }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < size_; ++i) sum += entries_[i].count;
    return sum;
  }
  const Entry* begin() const { return entries_.data(); }
  const Entry* end() const { return entries_.data() + size_; }

 private:
  Entry& EntryOf(absl::string_view field) {
    const absl::string_view name = field.substr(0, Entry().field.size() - 1);
    for (std::size_t i = 0; i < size_; ++i) {
      if (name == entries_[i].field.data()) return entries_[i];
    }
    if (size_ == kFieldsMax) return entries_[kFieldsMax - 1];
    const absl::string_view kept = size_ + 1 == kFieldsMax ? "other" : name;
    std::memcpy(entries_[size_].field.data(), kept.data(), kept.size());
    return entries_[size_++];
  }

  std::array<Entry, kFieldsMax> entries_{};
  std::size_t size_ = 0;
};

}  // namespace baton
