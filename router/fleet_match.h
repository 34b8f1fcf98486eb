// How deep every worker of the fleet holds one prompt: one walk over the prompt's page keys, for
// all workers at once.
//
// The set of holders shrinks from page to page; who leaves it at page i holds i pages. Four pages
// are looked at one by one, then the walk gallops, 1, 2, 4, ... pages ahead while nobody has left,
// and bisects to where somebody did. That is exact where each worker's pages are prefix-closed (who
// holds a page holds all before it), which is a worker's duty; where one breaks it, its depth is a
// guess and costs a poorer route.
//
// Allocates while the fleet grows, then no more.
//
// Thread: one, the owner's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "router/fleet_index.h"
#include "router/fleet_loops.h"

namespace baton {

class FleetMatch {
 public:
  /// Pages held from the front, by slot; 0 for free slots. index.words() * 64 of them, valid until
  /// the next call. `keys`: of the prompt's full pages, in order.
  std::span<const float> Run(const FleetIndex& index, std::span<const std::uint64_t> keys);

  /// The same by looking at one page after the other, prefetched eight ahead: what the walk above
  /// is held to, in answers and in time.
  std::span<const float> RunPlain(const FleetIndex& index, std::span<const std::uint64_t> keys);

  /// Pages that the deepest holder of the last prompt has.
  float deepest() const { return deepest_; }

 private:
  void Start(const FleetIndex& index, std::span<const std::uint64_t> keys);
  /// Where the i-th key that the index keeps stands in the prompt.
  std::size_t OrdinalOf(std::size_t i) const { return stride_ == 1 ? i : kept_[i]; }
  void Prefetch(const FleetIndex& index) const;
  std::size_t FirstLoss(const FleetIndex& index, std::size_t held, std::size_t probe) const;
  /// now_ becomes those of it that hold the page at `at` too; next_ what it was.
  void Narrow(const FleetIndex& index, std::size_t at);
  void Give(const Holders& holders, std::size_t pages);

  const FleetLoops loops_ = BestFleetLoops();
  std::span<const std::uint64_t> keys_;
  std::vector<std::uint32_t> kept_;  // ordinals, where the index has a stride
  std::size_t num_kept_ = 0;
  std::uint32_t stride_ = 1;
  std::vector<float> depths_;  // [words * 64]
  float deepest_ = 0;
  Holders now_;
  Holders next_;
};

}  // namespace baton
