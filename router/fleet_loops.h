// The loops of a decision that touch every worker, as a table of functions: one set for any
// machine, one for AVX-512, chosen once when the router starts. Both compile the same source
// (fleet_loops_body.h) and give the same answers: the build contracts no products.
//
// Columns are arrays by slot; a group is 16 of them, and a scan gets the groups of one role.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace baton {

/// What the route knows of every worker, by slot. Seconds are relative to the table's base.
struct FleetColumns {
  const float* ready_until;  // candidate before; -infinity: never
  const float* busy_until;   // end of its backlog
  const float* fixed;        // of a step; see StepCost
  const float* per_token;
  const float* per_pair;
  const float* per_sequence;
  const float* pool_pages;
  const float* room_pages;  // neither used nor promised
  const float* itl;         // decode: seconds of its next step, without the newcomer's pairs
  const float* running;     // decode: sequences
  const float* crowd;       // decode: seconds for a pool that is nearly full
  const float* bias;        // seconds: what it was newly given, so small that only ties feel it
};

/// One request, as the scans see it.
struct FleetAsk {
  float now = 0;  // relative to the table's base
  float prompt_tokens = 1;
  float page_tokens = 64;
  float chunk_tokens = 8192;
  float backlog_seconds_max = 0;
  float pages_needed = 0;
  // decode alone
  float output_tokens = 0;
  float decode_weight = 1;
  float page_seconds = 0;    // of the far wire
  float chunks = 1;          // that the best prefill worker would send the pages with
  float hidden_seconds = 0;  // of its computation that can hide the wire
  float held_at_least = 0;   // tokens: who holds less may not run the prompt itself
};

struct FleetLoops {
  /// out[i] = value where bit i of `bits` is set.
  void (*fill)(std::span<const std::uint64_t> bits, float value, std::span<float> out);

  /// Scores of the slots of `groups` into `scores` (by slot; infinity: no candidate) and the least
  /// of each group into `least` (by place in `groups`). `depths`: pages held, by slot.
  void (*prefill)(const FleetColumns& columns, const FleetAsk& ask,
                  std::span<const std::uint16_t> groups, const float* depths, float* scores,
                  float* least);
  /// The same for decode workers behind the best prefill worker.
  void (*decode)(const FleetColumns& columns, const FleetAsk& ask,
                 std::span<const std::uint16_t> groups, const float* depths, float* scores,
                 float* least);
  /// The same for decode workers that run the prompt themselves.
  void (*alone)(const FleetColumns& columns, const FleetAsk& ask,
                std::span<const std::uint16_t> groups, const float* depths, float* scores,
                float* least);
};

/// The fastest that this machine runs.
FleetLoops BestFleetLoops();

/// For any machine.
FleetLoops PlainFleetLoops();
/// Only where the machine has AVX-512 F, DQ, BW and VL.
FleetLoops Avx512FleetLoops();

}  // namespace baton
