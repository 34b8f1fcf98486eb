// Decides which tokens the next step computes. A pure function: the running batch in, runs of
// tokens out.
//
// Continuous batching (Orca, OSDI'22), decode-maximal (Sarathi-Serve): a step holds every running
// sequence with its one token, then chunks of prompts that this worker runs itself, in the order in
// which they were admitted, within step_tokens_max.
#pragma once

#include <span>
#include <vector>

#include "base/ids.h"

namespace baton {

/// An admitted sequence: of its `known` tokens the first `computed` stand in its pages. One token
/// to go: it decodes. More: a prompt of our own.
struct DecodeCandidate {
  SequenceId sequence{};
  int computed = 0;
  int known = 0;  // > computed
};

/// Positions [first, end) of a sequence. `samples`: they reach the end of what is known.
struct DecodeRun {
  SequenceId sequence{};
  int first = 0;
  int end = 0;
  bool samples = false;

  friend bool operator==(const DecodeRun&, const DecodeRun&) = default;
};

struct DecodeLimits {
  int step_tokens_max = 2048;  // at least sequences_max + a page
  int page_tokens = 64;
};

/// `candidates` in order of admission. Every candidate with one token to go is in the answer.
std::vector<DecodeRun> PlanDecodeStep(std::span<const DecodeCandidate> candidates,
                                      const DecodeLimits& limits);

}  // namespace baton
