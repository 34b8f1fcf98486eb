// Which steps of the prefill engine are under way, and which pages are complete when their last
// layer is done. Also the engine's pulse: a step that finishes no layer for a while means that the
// engine stands, and leases must not be renewed for it.
//
// Layers are told by the executor's thread and steps by the engine's, so a step's end may be heard
// before its beginning.
//
// Thread: confined to the transfer thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

#include "base/time.h"
#include "kvtransfer/outbound_messages.h"

namespace baton {

class StepProgress {
 public:
  explicit StepProgress(int num_layers) : last_layer_(static_cast<std::uint32_t>(num_layers - 1)) {}

  /// Returns spans that are complete already.
  std::vector<StepSpan> On(const OutboundStep& step, Instant now) {
    progress_at_ = now;
    if (step.step < finished_end_) return step.spans;
    running_[step.step] = step.spans;
    return {};
  }

  /// Returns the spans that this layer completes.
  std::vector<StepSpan> On(const OutboundLayer& layer, Instant now) {
    progress_at_ = now;
    if (layer.layer != last_layer_ || layer.step < finished_end_) return {};
    finished_end_ = layer.step + 1;  // steps finish in order
    std::vector<StepSpan> complete;
    while (!running_.empty() && running_.begin()->first < finished_end_) {
      const std::vector<StepSpan>& spans = running_.begin()->second;
      complete.insert(complete.end(), spans.begin(), spans.end());
      running_.erase(running_.begin());
    }
    return complete;
  }

  /// Spans of the prompts that end in this running step; none once its last layer is done.
  std::vector<StepSpan> LastChunksOf(std::uint64_t step) const {
    std::vector<StepSpan> last;
    const auto found = running_.find(step);
    if (found == running_.end()) return last;
    std::copy_if(found->second.begin(), found->second.end(), std::back_inserter(last),
                 [](const StepSpan& span) { return span.last_chunk; });
    return last;
  }

  /// A step is under way and has been silent for `limit`.
  bool Stands(Duration limit, Instant now) const {
    return !running_.empty() && now - progress_at_ >= limit;
  }

 private:
  const std::uint32_t last_layer_;
  std::uint64_t finished_end_ = 0;  // steps below have finished
  std::map<std::uint64_t, std::vector<StepSpan>> running_;
  Instant progress_at_{};
};

}  // namespace baton
