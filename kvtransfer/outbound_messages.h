// What the engine thread of a prefill worker tells its transfer thread, and hears from it. Plain
// values, so they cross threads in bounded queues and a simulation passes them by hand.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "base/ids.h"
#include "base/time.h"
#include "kvcache/page_key.h"
#include "kvtransfer/handoff_types.h"

namespace baton {

/// The decode worker that takes a prompt, as the router described it.
struct DecodePeer {
  std::string worker_id;
  Incarnation incarnation{};  // another life of that worker refuses us
  std::string transfer_address;
  Introduction introduction{};
};

/// The prompt is about to run: offer it. Its pages stay leased by the engine thread until Settled.
struct StartOutbound {
  HandoffId handoff{};  // never used before in this incarnation
  AttemptId id;
  DecodePeer peer;
  std::uint32_t prompt_tokens = 0;
  PageKey prompt_key;
  std::vector<PageId> pages;      // of the whole prompt, in order, the partial last one included
  std::uint32_t ready_pages = 0;  // so many from the front are complete already (cached)
  Duration first_page_in{};       // predicted time until the first computed page
};

/// Pages of one hand-off that a step completes: ordinals [first, end).
struct StepSpan {
  HandoffId handoff{};
  std::uint32_t first_page = 0;
  std::uint32_t end_page = 0;
  bool last_chunk = false;
};

/// Always before the step's first LayerDone. A step without spans is told too: it is progress.
struct OutboundStep {
  std::uint64_t step = 0;
  std::vector<StepSpan> spans;
};

/// Layers 0..layer of the step are complete in the arena. The last layer ends the step.
struct OutboundLayer {
  std::uint64_t step = 0;
  std::uint32_t layer = 0;
};

/// `ends`: the request is over with this token, so there is nothing to hand over.
struct OutboundFirstToken {
  HandoffId handoff{};
  TokenId token = 0;
  bool ends = false;
};

/// Harmless for an unknown or finished hand-off. Without effect once Commit is sent.
struct CancelOutbound {
  HandoffId handoff{};
  HandoffReason reason = HandoffReason::kCancelled;
};

/// A router says that this life of a decode worker is gone: ends the hand-offs named by `ids` (that
/// router's). A session falls only with its transport.
struct OutboundVerdict {
  Incarnation incarnation{};
  std::vector<HandoffId> ids;
};

/// No new hand-offs: tells every peer Bye. Live ones finish.
struct DrainOutbound {};

using OutboundCommand = std::variant<StartOutbound, OutboundStep, OutboundLayer, OutboundFirstToken,
                                     CancelOutbound, OutboundVerdict, DrainOutbound>;

/// Decode wants the pages from `first_page` on: it holds those before.
struct OutboundGranted {
  HandoffId handoff{};
  std::uint32_t first_page = 0;
};

/// Spans on the prefill worker's clock; zero where the stage was not reached.
struct HandoffTimes {
  Duration offer{};        // Offer sent -> first Grant
  Duration first_write{};  // first Grant -> first write posted
  Duration wire{};         // first write posted -> last write reported
  Duration exposed{};      // last page and first token computed -> CommitAck
  Duration commit{};       // Commit sent -> CommitAck
};

/// Exactly one for each Start.
struct OutboundEnded {
  HandoffId handoff{};
  AttemptId id;
  HandoffReason reason{};
  std::string message;  // what differs, when refused; no address, no content
  std::uint32_t retry_after_ms = 0;
  HandoffTimes times;
  std::uint64_t bytes = 0;
  std::uint32_t pages_sent = 0;
  std::uint32_t pages_saved = 0;  // the peer held them already
  std::string wire;               // "tcp", "shm", "loopback": as found; "" before a session
};

/// Nothing reads the source pages any more. Exactly one for each Start, at or after Ended.
struct OutboundSettled {
  HandoffId handoff{};
};

using OutboundEvent = std::variant<OutboundGranted, OutboundEnded, OutboundSettled>;

}  // namespace baton
