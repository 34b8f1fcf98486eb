// One sequence on a decode worker, from its job to the moment when nobody reads or writes its pages
// any more.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ids.h"
#include "base/time.h"
#include "kvcache/block_table.h"
#include "kvtransfer/inbound_messages.h"
#include "proto/job.h"

namespace baton {

enum class SequenceState {
  kExpected,  // its hand-off was announced; no pages
  kOffered,   // the prefill worker is about to start; waits for room
  kGranted,   // pages are lent to the hand-off
  kWaiting,   // no hand-off: waits for room to run its prompt here
  kRunning,   // in the batch
  kOver,      // the router hears nothing more of it; erased when its pages are quiet
};

struct Sequence {
  SequenceId id{};
  LinkId link{};
  Job job;  // its tokens grow with every step
  BlockTable table;
  SequenceState state = SequenceState::kExpected;
  int computed = 0;                      // tokens whose rows stand in the pages
  int computed_until = 0;                // by the step in flight; == computed when there is none
  std::uint32_t promised = 0;            // pages that it may still take
  std::optional<Incarnation> prefill{};  // of the hand-off; none = the prompt is run here
  std::optional<PageLease> inbound{};    // lent to the hand-off: nobody reads them
  std::optional<TokenId> first_token{};  // committed, pages about to follow
  std::uint32_t first_page = 0;          // granted from here on: those before were held
  int prompt_end = 0;                    // tokens of the job as it came
  Instant offered{};
  Instant committed{};
  std::optional<Duration> held{};  // by its hand-off, until that is told to the metrics

  bool in_flight() const { return computed_until != computed; }
  int known() const { return static_cast<int>(job.tokens.size()); }
  AttemptId attempt() const { return {job.request, job.attempt}; }
};

}  // namespace baton
