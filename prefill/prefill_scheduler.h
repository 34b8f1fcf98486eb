// Decides which prompt tokens are computed next. Pure: no clock, thread, device or page; the same
// calls in the same order give the same steps.
//
// Chunked prefill (Sarathi-Serve, OSDI'24): a step takes prompts in order of arrival until
// step_tokens_max tokens are taken; a prompt that does not fit is cut at a page border and goes on
// in the next step. Several prompts may be begun at a time, so the rest of a step that a long
// prompt leaves is filled by those behind it.
//
//   Add -> waiting --Begin--> begun --Plan, Plan, ...--> planned whole: forgotten here
//
// Thread: confined to the engine thread.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "scheduling/step_time.h"

namespace baton {

/// Positions [first, end) of a prompt. `last`: they reach its end, so the first token is sampled.
struct PromptChunk {
  SequenceId sequence{};
  int first = 0;
  int end = 0;
  bool last = false;

  friend bool operator==(const PromptChunk&, const PromptChunk&) = default;
};

class PrefillScheduler {
 public:
  struct Options {
    int step_tokens_max = 8192;     // at least a page
    int sequences_max = 16;         // begun at a time
    double step_seconds_max = 0.5;  // by the forecast; a step of one page may take longer
    int page_tokens = 64;
  };

  explicit PrefillScheduler(const Options& options);

  void Add(SequenceId sequence, int tokens);

  /// Harmless for a prompt that is not here (any more).
  void Remove(SequenceId sequence);

  /// The prompt that the next step still has room for, if any: begin it when its pages are there.
  std::optional<SequenceId> NextToBegin() const;

  /// The prompt named by NextToBegin() has its pages; `cached_tokens` < its length need no work.
  void Begin(int cached_tokens);

  /// The next step's chunks, by what `cost` forecasts; empty when nothing is begun. Each token is
  /// planned exactly once.
  std::vector<PromptChunk> Plan(const StepCost& cost);

  std::size_t num_waiting() const { return waiting_.size(); }
  std::size_t num_begun() const { return begun_.size(); }

 private:
  struct Prompt {
    SequenceId sequence{};
    int length = 0;
    int planned = 0;  // tokens cached or planned, from the front
  };

  const Options options_;
  std::deque<Prompt> waiting_;  // in order of arrival
  std::deque<Prompt> begun_;    // in order of arrival
};

}  // namespace baton
