// The source of the loops of fleet_loops.h, compiled once a machine: every function has internal
// linkage, so no machine's version can end up in another's table.
//
// Branches are selections, so that compilers turn 16 slots into one vector.
#pragma once

#include <algorithm>
#include <limits>

#include "router/fleet_loops.h"
#include "router/slot_groups.h"

namespace baton {
namespace {

constexpr std::size_t kWidth = SlotGroups::kGroup;
constexpr float kNoCandidate = std::numeric_limits<float>::infinity();

void Fill(std::span<const std::uint64_t> bits, float value, std::span<float> out) {
  for (std::size_t w = 0; w < bits.size(); ++w) {
    float* slots = out.data() + 64 * w;
    for (std::size_t part = 0; part < 64; part += kWidth) {
      const auto mask = static_cast<std::uint32_t>((bits[w] >> part) & 0xffff);
      if (mask == 0) continue;
      for (std::uint32_t i = 0; i < kWidth; ++i) {
        slots[part + i] = ((mask >> i) & 1) != 0 ? value : slots[part + i];
      }
    }
  }
}

/// Chunks of a prompt, without a library call for the ceiling. Source: docs/routing.md, T(P).
inline float Chunks(float tokens, float chunk_tokens) {
  const int chunks = static_cast<int>((tokens + chunk_tokens - 1) / chunk_tokens);
  return static_cast<float>(chunks > 1 ? chunks : 1);
}

inline float Queue(const FleetColumns& c, const FleetAsk& ask, std::size_t s) {
  const float left = c.busy_until[s] - ask.now;
  return left > 0 ? left : 0;
}

inline float Held(const FleetAsk& ask, float depth) {
  const float held = depth * ask.page_tokens;
  return held < ask.prompt_tokens - 1 ? held : ask.prompt_tokens - 1;
}

inline float Compute(const FleetColumns& c, const FleetAsk& ask, std::size_t s, float held) {
  const float tokens = ask.prompt_tokens - held;
  return (c.fixed[s] + c.per_sequence[s]) * Chunks(tokens, ask.chunk_tokens) +
         c.per_token[s] * tokens + c.per_pair[s] * tokens * (held + tokens / 2);
}

inline float Slow(const FleetColumns& c, const FleetAsk& ask, std::size_t s) {
  return ask.output_tokens * (c.itl[s] + c.per_pair[s] * ask.prompt_tokens) + c.crowd[s];
}

inline float Lacking(const FleetAsk& ask, float depth) {
  const float pages = ask.pages_needed - depth;
  return pages > 0 ? pages : 0;
}

// `score(slot)` of every slot of the groups; the least of each.
template <typename Score>
inline void Scan(std::span<const std::uint16_t> groups, float* scores, float* least,
                 const Score& score) {
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::size_t first = kWidth * groups[g];
    float lowest = kNoCandidate;
    for (std::size_t s = first; s < first + kWidth; ++s) {
      const float value = score(s);
      scores[s] = value;
      lowest = value < lowest ? value : lowest;
    }
    least[g] = lowest;
  }
}

void Prefill(const FleetColumns& c, const FleetAsk& ask, std::span<const std::uint16_t> groups,
             const float* depths, float* scores, float* least) {
  Scan(groups, scores, least, [&](std::size_t s) {
    const float queue = Queue(c, ask, s);
    const bool may = (ask.now <= c.ready_until[s]) & (queue <= ask.backlog_seconds_max) &
                     (ask.pages_needed <= c.pool_pages[s]);
    const float value = queue + Compute(c, ask, s, Held(ask, depths[s])) + c.bias[s];
    return may ? value : kNoCandidate;
  });
}

void Decode(const FleetColumns& c, const FleetAsk& ask, std::span<const std::uint16_t> groups,
            const float* depths, float* scores, float* least) {
  Scan(groups, scores, least, [&](std::size_t s) {
    const float lacking = Lacking(ask, depths[s]);
    const bool may = (ask.now <= c.ready_until[s]) & (lacking <= c.room_pages[s]);
    const float wire = ask.page_seconds * lacking;
    const float last = wire / ask.chunks;
    const float behind = wire - ask.hidden_seconds;
    const float value =
        (last > behind ? last : behind) + ask.decode_weight * Slow(c, ask, s) + c.bias[s];
    return may ? value : kNoCandidate;
  });
}

void Alone(const FleetColumns& c, const FleetAsk& ask, std::span<const std::uint16_t> groups,
           const float* depths, float* scores, float* least) {
  Scan(groups, scores, least, [&](std::size_t s) {
    const float queue = Queue(c, ask, s);
    const bool may = (ask.now <= c.ready_until[s]) & (Lacking(ask, depths[s]) <= c.room_pages[s]) &
                     (queue <= ask.backlog_seconds_max) &
                     (depths[s] * ask.page_tokens >= ask.held_at_least);
    const float compute = Compute(c, ask, s, Held(ask, depths[s]));
    const float slow = Slow(c, ask, s) + c.running[s] * compute;
    const float value = queue + compute + ask.decode_weight * slow + c.bias[s];
    return may ? value : kNoCandidate;
  });
}

constexpr FleetLoops kLoops = {.fill = Fill, .prefill = Prefill, .decode = Decode, .alone = Alone};

}  // namespace
}  // namespace baton
