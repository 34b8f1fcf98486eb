// What the decode end remembers of hand-offs that are over, so that a repeated message is answered
// as the first one was: the last commits, the attempts that ended, the Hellos that were taken.
// Bounded; the oldest leaves.
//
// Thread: confined to the transfer thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>

#include "base/ids.h"
#include "kvtransfer/handoff_types.h"

namespace baton {

inline constexpr std::size_t kRememberedCommits = 1024;
inline constexpr std::size_t kRememberedAttempts = 1024;
inline constexpr std::size_t kRememberedIntroductions = 1024;
inline constexpr std::size_t kRememberedHellos = 1024;

/// The last `limit` values, each once.
template <typename T, std::size_t limit>
class Remembered {
 public:
  void Add(const T& value) {
    if (Has(value)) return;
    if (values_.size() == limit) values_.pop_front();
    values_.push_back(value);
  }
  bool Has(const T& value) const {
    return std::find(values_.begin(), values_.end(), value) != values_.end();
  }

 private:
  std::deque<T> values_;
};

/// A router said that this life of a prefill worker may come with this token.
struct Announced {
  Introduction introduction{};
  Incarnation prefill{};

  friend bool operator==(const Announced&, const Announced&) = default;
};

}  // namespace baton
