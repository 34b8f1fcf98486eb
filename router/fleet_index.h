// Which worker holds which pages, as workers tell it: a set of 64-bit page keys a worker.
//
// The low 64 bits of a key suffice: a collision costs a poorer route, never a wrong token. Beside
// the pages that a worker stated stand the *expected* ones, which it will soon hold because this
// router just sent it their prompt: siblings of a burst then queue behind their maker.
//
// A worker's events are numbered per incarnation. In order: applied; seen before: dropped; a gap:
// nothing is applied until a snapshot has come, and what is there serves on.
//
// Bounded by bytes_max: pages beyond it are not entered, and counted. It is soft state throughout.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "base/ids.h"
#include "base/time.h"
#include "proto/link.pb.h"

namespace baton {

enum class EventsVerdict {
  kApplied,
  kSeen,  // dropped: all of it was applied before
  kGap,   // events are missing: ask for a snapshot
};

class FleetIndex {
 public:
  /// Source: absl's flat_hash_set is 9 bytes a slot, at least 7/16 full.
  static constexpr std::uint64_t kPageBytesMax = 21;
  /// Expected pages of one worker.
  static constexpr std::size_t kExpectedMax = 1 << 16;

  explicit FleetIndex(std::uint64_t bytes_max);

  void AddWorker(LinkId link);
  void RemoveWorker(LinkId link);

  /// Unknown links: kSeen.
  EventsVerdict Apply(LinkId link, const link::CacheEvents& events);

  /// `keys` count as held until `until`, or until stated.
  void Expect(LinkId link, std::span<const std::uint64_t> keys, Instant until);
  void Unexpect(LinkId link, std::span<const std::uint64_t> keys);

  /// Drops expectations that did not come true. Call it every second or so.
  void ForgetExpired(Instant now);

  /// How many of `keys` (a prompt's full pages, in order) the worker holds or will hold from the
  /// front without a hole. Exact for prefix-closed sets, which workers keep: O(log) look-ups.
  int Depth(LinkId link, std::span<const std::uint64_t> keys, Instant now) const;

  /// Whether ForgetExpired may find something.
  bool expecting() const;

  std::uint64_t pages() const { return pages_; }
  std::uint64_t bytes() const { return pages_ * kPageBytesMax; }
  std::uint64_t pages_refused() const { return pages_refused_; }

 private:
  struct Slot {
    absl::flat_hash_set<std::uint64_t> held;
    absl::flat_hash_map<std::uint64_t, Instant> expected;  // until when
    std::uint64_t next_number = 0;
    bool whole = true;  // false after a gap, until the snapshot
  };

  static bool Holds(const Slot& slot, std::uint64_t key, Instant now);
  void Store(Slot& slot, std::uint64_t key);

  const std::uint64_t pages_max_;
  std::map<LinkId, Slot> slots_;
  std::uint64_t pages_ = 0;  // sum over slots
  std::uint64_t pages_refused_ = 0;
};

}  // namespace baton
