// One prompt on a prefill worker, from its job to the moment when nobody reads its pages any more.
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "kvcache/block_table.h"
#include "kvcache/page_key.h"
#include "kvtransfer/outbound_messages.h"
#include "proto/job.h"

namespace baton {

enum class PromptState {
  kWaiting,   // no pages yet
  kBegun,     // has its pages, is offered, chunks are computed
  kComputed,  // first token told; the hand-off is being finished
  kOver,      // the router hears nothing more of it; erased when its pages are quiet
};

struct Prompt {
  SequenceId sequence{};
  LinkId link{};
  Job job;
  DecodePeer peer;
  PageKey prompt_key;
  BlockTable table;
  PromptState state = PromptState::kWaiting;
  int cached = 0;            // tokens found in the prefix cache
  int computed = 0;          // tokens whose rows stand in the pages, the cached included
  int chunks_in_flight = 0;  // launched or planned, not collected: their pages must stay
  bool lent = false;         // Start sent and not settled: the transfer side reads the pages
  Instant accepted{};
  Instant first_launch{};
  Instant last_collect{};

  int length() const { return static_cast<int>(job.tokens.size()); }
  HandoffId handoff() const { return HandoffId{Index(sequence)}; }
};

}  // namespace baton
