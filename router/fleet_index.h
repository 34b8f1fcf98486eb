// Which worker holds which pages, as workers tell it: from a 64-bit page key to the set of its
// holders.
//
// The low 64 bits of a key suffice: a collision costs a poorer route, never a wrong token. Beside
// the pages that a worker stated stand the *expected* ones, which it will soon hold because a
// router just sent it their prompt: siblings of a burst then queue behind their maker.
//
//   events in order: applied      seen before: dropped      a gap: nothing until a snapshot
//
// A worker's life on one link has a slot. A snapshot fills a fresh slot, a lost worker's slot
// retires at once: its bit leaves the live ones, which every answer is masked with, and Sweep()
// takes it out of the sets later, some entries at a time.
//
// Bounded by bytes_max: at the bound the index keeps half of the keys it kept, chosen by their
// bits (the *stride* doubles). A chained key vouches for all pages before it, so a forecast then
// loses stride - 1 pages on average. Where even that is not enough, pages are refused and counted.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/ids.h"
#include "base/time.h"
#include "proto/link.pb.h"
#include "router/holder_sets.h"
#include "router/page_table.h"
#include "router/slot_groups.h"

namespace baton {

enum class EventsVerdict {
  kApplied,
  kSeen,  // dropped: all of it was applied before
  kGap,   // events are missing: ask for a snapshot
};

class FleetIndex {
 public:
  /// Expected pages of one worker.
  static constexpr std::size_t kExpectedMax = 1 << 16;
  static constexpr std::uint32_t kStrideMax = 1024;
  /// Entries that one Sweep() looks at.
  static constexpr std::size_t kSweepEntries = 4096;

  /// `stride`: every so manieth page is kept, rounded up to a power of two.
  explicit FleetIndex(std::uint64_t bytes_max, std::uint32_t stride = 1);

  /// False when there is no slot left.
  bool AddWorker(LinkId link, const SlotKind& kind = {});
  void RemoveWorker(LinkId link);
  /// The worker's place in every array by slot. It changes with a snapshot.
  std::optional<Slot> SlotOf(LinkId link) const;

  /// Unknown links: kSeen.
  EventsVerdict Apply(LinkId link, const link::CacheEvents& events);

  /// `keys` count as held until ForgetExpired after `until`, until stated, or until as many
  /// Unexpect as Expect have come.
  void Expect(LinkId link, std::span<const std::uint64_t> keys, Instant until);
  void Unexpect(LinkId link, std::span<const std::uint64_t> keys);

  /// Drops expectations that did not come true. Call it every second or so.
  void ForgetExpired(Instant now);

  /// Takes retired slots out of the next kSweepEntries entries. Call it now and then.
  void Sweep();

  /// How many of `keys` (a prompt's full pages, in order) the worker holds or will hold from the
  /// front without a hole. router/fleet_match answers for all workers at once.
  int Depth(LinkId link, std::span<const std::uint64_t> keys) const;

  /// Whether ForgetExpired may find something.
  bool expecting() const { return num_expected_ > 0; }
  /// Whether Sweep has something to do.
  bool sweeping() const { return !retired_.empty(); }

  std::uint64_t pages() const { return pages_; }            // stated ones, over all workers
  std::uint64_t expected() const { return num_expected_; }  // and those that are to come
  std::uint64_t bytes() const;
  std::uint64_t pages_refused() const { return pages_refused_; }
  std::uint32_t stride() const { return stride_; }

  // For the walk (router/fleet_match).
  const SlotGroups& groups() const { return groups_; }
  std::size_t slots() const { return groups_.slots(); }
  std::size_t words() const { return live_.size(); }
  bool Keeps(std::uint64_t key) const { return (PageTable::Mix(key) & (stride_ - 1)) == 0; }
  void Prefetch(std::uint64_t key) const { table_.Prefetch(key); }
  std::size_t Count(std::uint64_t key) const { return sets_.Count(table_.Find(key), live_); }
  void Read(std::uint64_t key, Holders& holders) const {
    sets_.Read(table_.Find(key), live_, holders);
  }

 private:
  struct Expected {
    Instant until;
    std::uint32_t times = 0;
  };
  struct Life {
    Slot slot = 0;
    SlotKind kind;
    absl::flat_hash_map<std::uint64_t, Expected> expected;
    std::uint64_t pages = 0;  // stated
    std::uint64_t next_number = 0;
    bool whole = true;  // false after a gap, until the snapshot
  };
  struct Retired {
    Slot slot = 0;
    std::uint64_t swept_at = 0;  // when swept_ has come so far nobody names it
  };

  bool TakeSlot(Life& life);
  void Retire(Slot slot);
  void StartAnew(Life& life);
  void Store(Life& life, std::uint64_t key);
  void Remove(Life& life, std::uint64_t key);
  /// False when the bound forbids it.
  bool AddHolder(std::uint64_t key, Slot slot, bool& added);
  bool RemoveHolder(std::uint64_t key, Slot slot);
  bool MakeRoom();
  void Coarsen();
  void RecountPages();
  void EraseEmpty(PageTable::Entry& entry);
  void SweepEntries(std::size_t count);
  bool Holds(const Life& life, std::uint64_t key) const;

  const std::uint64_t bytes_max_;
  std::uint32_t stride_ = 1;
  PageTable table_;
  HolderSets sets_;
  SlotGroups groups_;
  std::vector<std::uint64_t> live_;  // a bit a slot
  std::map<LinkId, Life> lives_;
  std::deque<Retired> retired_;  // oldest first
  std::size_t sweep_at_ = 0;     // the entry that the sweep looks at next
  std::uint64_t swept_ = 0;      // entries that it has passed
  std::uint64_t pages_ = 0;
  std::uint64_t num_expected_ = 0;
  std::uint64_t pages_refused_ = 0;
};

}  // namespace baton
