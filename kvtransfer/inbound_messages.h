// What the engine thread of a decode worker tells its transfer thread, and hears from it.
//
// The engine thread owns every page. A Grant lends page *numbers* to the transfer thread; the right
// to them comes back with LeaseClosed, and with nothing else.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "kvcache/page_key.h"
#include "kvtransfer/handoff_types.h"

namespace baton {

/// A router announced a hand-off. Once for each AttemptId; a newer attempt ends an older one.
struct ExpectInbound {
  AttemptId id;
  Incarnation prefill{};
  Introduction introduction{};
  std::uint32_t prompt_tokens = 0;
  PageKey prompt_key;
};

/// No pages for an offered hand-off: ends it.
struct RefuseInbound {
  AttemptId id;
  HandoffReason reason = HandoffReason::kNoRoom;
  std::uint32_t retry_after_ms = 0;
};

/// Lends fresh, unshared pages for the ordinals that follow what was granted before. The first
/// Grant of a hand-off fixes `first_page` (the engine holds the pages before it); later ones repeat
/// it. `final`: with these, every page up to the prompt's end is granted. A final Grant of no pages
/// is how a prompt that is held whole is accepted.
struct GrantInbound {
  AttemptId id;
  std::uint32_t first_page = 0;
  std::vector<PageId> pages;
  bool final = true;
};

/// The engine wants no more of it: cancel, deadline. Harmless when unknown or over.
struct CloseInbound {
  AttemptId id;
  HandoffReason reason = HandoffReason::kCancelled;
};

/// A router says that this life of a prefill worker is gone: ends the hand-offs named by `ids`.
struct InboundVerdict {
  Incarnation incarnation{};
  std::vector<AttemptId> ids;
};

/// No new hand-offs: Offers are answered with kDraining. Live ones finish.
struct DrainInbound {};

using InboundCommand = std::variant<ExpectInbound, RefuseInbound, GrantInbound, CloseInbound,
                                    InboundVerdict, DrainInbound>;

/// An expected prompt is about to run at its prefill worker: answer with Grant or Refuse.
struct OfferArrived {
  AttemptId id;
  std::uint32_t prompt_tokens = 0;
  Duration first_page_in{};
};

/// Every granted page holds the peer's bytes, checksums agreed. A LeaseClosed{committed} follows
/// at once; the pages may be read from then on.
struct InboundCommitted {
  LeaseId lease{};
  AttemptId id;
  TokenId first_token = 0;
  Instant at{};  // when the transfer side learned it
};

enum class LeaseEnd {
  kCommitted,  // the pages belong to the sequence
  kQuiet,      // no write can reach the pages any more: they may be freed
};

/// The pages granted under `id` may move. One for each lease; `lease` 0 answers a Grant that came
/// after the end (its pages were never lent).
struct LeaseClosed {
  LeaseId lease{};
  AttemptId id;
  LeaseEnd how{};
  std::uint64_t bytes = 0;  // landed
  Duration held{};          // first Grant -> now
};

/// Each Expect ends in exactly one Committed or Failed. Where a lease was open, its LeaseClosed
/// follows at once.
struct InboundFailed {
  AttemptId id;
  HandoffReason reason{};
};

using InboundEvent = std::variant<OfferArrived, InboundCommitted, LeaseClosed, InboundFailed>;

}  // namespace baton
