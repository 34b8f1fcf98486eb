// Which rows each expert computes: (token, choice) pairs sorted by expert, stably, so that an
// expert's rows are neighbours and every pair has a place of its own.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/expert_ffn/expert_ffn.h"
#include "kernels/stream.h"

namespace baton {

class ExpertRows {
 public:
  /// A counting sort; its memory is scratch of shared slot `slot`.
  ExpertRows(const ExpertFfnParams& params, Stream& stream, int slot)
      : routed_(params.tokens * params.top_k) {
    const auto experts = static_cast<std::size_t>(params.experts);
    const auto routed = static_cast<std::size_t>(routed_);
    const std::size_t entries = 2 * experts + 1 + 2 * routed;
    starts_ = reinterpret_cast<std::int32_t*>(
        stream.Scratch(stream.SharedSlot(slot), entries * sizeof(std::int32_t)));
    touched_ = starts_ + experts + 1;
    pair_of_ = touched_ + experts;
    place_of_ = pair_of_ + routed;
    Sort(params);
  }

  /// (token, choice) pairs in all.
  int routed() const { return routed_; }
  /// Experts that have rows, ascending.
  int touched_count() const { return touched_count_; }
  int touched(int i) const { return touched_[i]; }
  /// An expert's places: [begin, end).
  int begin(int expert) const { return starts_[expert]; }
  int end(int expert) const { return starts_[expert + 1]; }
  /// Pair token * top_k + choice of a place, and back.
  std::int32_t pair_of(std::int64_t place) const { return pair_of_[place]; }
  std::int32_t place_of(std::int64_t pair) const { return place_of_[pair]; }

 private:
  void Sort(const ExpertFfnParams& params) {
    std::fill(starts_, starts_ + params.experts + 1, 0);
    for (int pair = 0; pair < routed_; ++pair) ++starts_[params.ids[pair] + 1];
    for (int e = 0; e < params.experts; ++e) {
      if (starts_[e + 1] > 0) touched_[touched_count_++] = e;
      starts_[e + 1] += starts_[e];
    }
    for (int pair = 0; pair < routed_; ++pair) {
      const std::int32_t place = starts_[params.ids[pair]]++;
      pair_of_[place] = pair;
      place_of_[pair] = place;
    }
    // Placing moved each start to its expert's end, which is the next one's start.
    std::copy_backward(starts_, starts_ + params.experts, starts_ + params.experts + 1);
    starts_[0] = 0;
  }

  const int routed_;
  int touched_count_ = 0;
  std::int32_t* starts_;    // [experts + 1]
  std::int32_t* touched_;   // [touched_count_]
  std::int32_t* pair_of_;   // [routed]
  std::int32_t* place_of_;  // [routed]
};

}  // namespace baton
