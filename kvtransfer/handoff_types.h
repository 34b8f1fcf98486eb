// Words that both ends of a hand-off share: why it ended, who the ends are, and the limits that
// bound them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "kvcache/kv_layout.h"

namespace baton {

/// Why a hand-off ended, or why one end tells the other to stop. Travels as a number: append only.
enum class HandoffReason : std::uint32_t {
  kCommitted = 0,        // it succeeded
  kUnknownRequest = 1,   // the router never announced it here
  kKeysDiffer = 2,       // the ends mean different tokens
  kNoRoom = 3,           // no pages now; see retry_after_ms
  kStale = 4,            // a newer attempt has been seen
  kCorrupt = 5,          // checksum, bounds or digest
  kStall = 6,            // no progress for stall_ms
  kLeaseEnd = 7,         // the lease was not renewed in time
  kCancelled = 8,        // the engine's end asked for it
  kPeerLost = 9,         // the session is gone
  kVerdict = 10,         // a router says that the other worker is gone
  kWriteFailed = 11,     // the transport reported an error
  kDeadline = 12,        // no Grant, or no CommitAck, in time
  kFirstTokenEnds = 13,  // the request is over with its first token: nothing to hand over
  kRefused = 14,         // the workers differ: session refused, the message names the field
  kDraining = 15,        // the other end takes no new hand-offs
  kProtocol = 16,        // a message that does not fit the state: a bug at the other end
};
inline constexpr std::uint32_t kHandoffReasons = 17;

/// For logs.
const char* ToString(HandoffReason reason);

/// The `outcome` label of baton_handoffs_total and of link::HandoffReport: committed, transport,
/// lease_end, stall, corrupt, cancelled, refused.
const char* OutcomeOf(HandoffReason reason);

/// True when another attempt may succeed. So it may after a cancel or a stale attempt: the router
/// that asked for either hears nothing of it any more, and to one that did not, the other worker is
/// about to go.
bool Retryable(HandoffReason reason);

/// One attempt of one request: the name that the router gave, the same at both ends.
struct AttemptId {
  RequestId request;
  std::uint32_t attempt = 0;  // from 1

  friend auto operator<=>(const AttemptId&, const AttemptId&) = default;
};

using Introduction = std::array<std::uint8_t, 16>;  // a pair's token, drawn by a router

/// This worker, as it presents itself to others.
struct LocalWorker {
  std::string worker_id;  // at most 64 bytes
  Incarnation incarnation{};
  FingerprintFields fields;  // must equal the other end's, each of them
};

/// Limits and times of both ends; from config (transfer.*).
struct TransferLimits {
  Duration lease_ttl = Milliseconds(5000);
  Duration renew_every = Milliseconds(1000);
  Duration post_margin = Milliseconds(1000);   // P stops posting so long before D's lease can end
  Duration stall = Milliseconds(30000);        // no new piece (D), no finished layer (P)
  Duration hold_early = Milliseconds(2000);    // an Offer or Hello that ran ahead of the router
  Duration grant_wait = Milliseconds(10000);   // Start to first Grant (P), Offer to first Grant (D)
  Duration commit_wait = Milliseconds(5000);   // Commit to CommitAck
  Duration hello_wait = Milliseconds(2000);    // Hello to HelloAck
  Duration reconnect_min = Milliseconds(100);  // doubles up to the maximum
  Duration reconnect_max = Milliseconds(5000);
  // What may be posted and not credited, a session: so much time at the measured rate, for messages
  // queue behind data; between the two bounds.
  Duration window = Milliseconds(50);
  std::uint64_t window_bytes_min = 4 << 20;
  std::uint64_t window_bytes_max = 64 << 20;
  // When pages go. In the last chunk they go by groups of layers while later layers compute, unless
  // splitting would cost more than it hides: fewer new tokens than the first, or less time on the
  // wire than the second. Without `overlap` nothing goes before the whole prompt is computed.
  bool overlap = true;
  std::uint32_t layer_group = 8;
  std::uint32_t overlap_tokens_min = 512;
  Duration overlap_wire_min = Milliseconds(2);
  std::uint32_t sessions_max = 64;
  std::uint32_t handoffs_max = 512;
  std::uint32_t held_offers_max = 64;
};

}  // namespace baton
