// How much may lie in a lane's receive queue, counted alike at both ends.
//
// UCX's shared memory tells nobody when a full queue has room again: a sender that filled it would
// have to spin, on a small machine against the very process that should empty it, and for ever if
// that process is stopped. So a sender never fills it: it counts segments, and the receiver returns
// them as credit, a message that wakes like any other. (A TCP socket wakes its writer: no window.)
#pragma once

#include <cstddef>
#include <cstdint>

#include "kvtransfer/transport.h"

namespace baton {

/// One slot of the queue: a frame of 36 KiB, half a layer of an MLA page, fits with its headers.
/// Below 64 KiB: UCX 1.13 counts a segment's bytes in 16 bits, and larger ones arrive damaged.
inline constexpr std::size_t kSegmentBytes = 40 * 1024;
/// A power of two. 10 MiB a lane end: where the processors are far apart, lines that the other one
/// touched last are dearer than memory. Measured between distant cores: 32 slots 1.6 GB/s, 128 2.7,
/// 512 4.1; between close ones 5.6, 8.4, 8.
inline constexpr std::uint64_t kQueueSegments = 256;
inline constexpr std::uint64_t kReleaseSegments = 16;  // UCX frees slots in batches of this
inline constexpr std::uint64_t kCreditSegments = 16;   // consumed, before the sender is told
inline constexpr std::uint64_t kWindowSegments = 216;  // the rest is for the batch and for notes
static_assert(kWindowSegments + kReleaseSegments + 8 <= kQueueSegments);

/// Slots that a payload takes; every slot also carries headers (UCX's and ours, below 512 bytes).
constexpr std::uint64_t SegmentsOf(std::size_t payload_bytes) {
  return payload_bytes / (kSegmentBytes - 512) + 1;
}

static_assert(SegmentsOf(kFrameBytesOneSegment) == 1);

}  // namespace baton
