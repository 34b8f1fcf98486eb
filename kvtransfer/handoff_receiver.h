// The decode end of one hand-off, as a machine without I/O: events in, actions out.
//
//   Expected --Offer, keys agree--> Offered --pages lent--> Receiving --Commit that agrees-->
//   Committed
//      |                               |                     |  ^ frames, Grants, Renews
//      |                               |                     |  +---+
//      +--- cancel, verdict, keys differ, refused, Abort, lease end, stall, corrupt ---> Closed
//
// The lease is open before the Grant leaves, and erased before anybody is told that it is over:
// with validated messages the erased lease is the fence, so Closed is quiet at once.
//
// Thread: confined to the transfer thread.
#pragma once

#include <cstdint>
#include <variant>

#include "absl/container/inlined_vector.h"
#include "base/ids.h"
#include "base/time.h"
#include "kvcache/page_key.h"
#include "kvtransfer/handoff_message.h"
#include "kvtransfer/handoff_types.h"
#include "kvtransfer/lease_table.h"

namespace baton {

enum class ReceiverState { kExpected, kOffered, kReceiving, kCommitted, kClosed };
inline constexpr int kReceiverStates = 5;

/// What the caller does next, in order; details are read from the receiver.
enum class ReceiverAction {
  kNotifyOffer,
  kOpenLease,    // from first_page()
  kAppendLease,  // with the pages of the event
  kSendGrant,    // of those pages
  kEraseLease,   // the fence
  kSendAbort,    // reason(), retry_after_ms()
  kAckCommit,
  kRefuseCommit,  // reason()
  kNotifyCommitted,
  kNotifyFailed,       // reason()
  kNotifyLeaseClosed,  // committed() ? kCommitted : kQuiet
  kReturnPages,        // the event's pages were never lent
};
using ReceiverActions = absl::InlinedVector<ReceiverAction, 4>;

class HandoffReceiver {
 public:
  // --- events
  struct Offered {
    OfferMessage offer;
  };
  /// The engine lends so many pages for the ordinals that follow.
  struct Lent {
    std::uint32_t first_page = 0;
    std::uint32_t pages = 0;
    bool final = false;
  };
  struct Refused {
    HandoffReason reason{};
    std::uint32_t retry_after_ms = 0;
  };
  /// A piece landed.
  struct Progressed {};
  /// A checksum did not hold.
  struct Corrupted {};
  struct Renewed {};
  struct CommitArrived {
    CommitMessage commit;
    LeaseProgress progress;
  };
  struct PeerAborted {
    HandoffReason reason{};
  };
  /// From this end: cancel, verdict, a newer attempt, another incarnation.
  struct Dropped {
    HandoffReason reason{};
  };
  struct SessionLost {};
  struct Timer {};

  using Event = std::variant<Offered, Lent, Refused, Progressed, Corrupted, Renewed, CommitArrived,
                             PeerAborted, Dropped, SessionLost, Timer>;

  struct Plan {
    AttemptId id;
    std::uint32_t num_pages = 0;  // of the prompt
    std::uint32_t prompt_tokens = 0;
    PageKey prompt_key;
  };

  HandoffReceiver(const Plan& plan, const TransferLimits& limits);

  ReceiverActions On(const Event& event, Instant now);

  /// When Timer is due; kNever where nothing runs. An expected hand-off has no clock here: the
  /// engine's end keeps the request's deadline.
  Instant due() const;

  ReceiverState state() const { return state_; }
  bool over() const {
    return state_ == ReceiverState::kCommitted || state_ == ReceiverState::kClosed;
  }
  bool committed() const { return state_ == ReceiverState::kCommitted; }
  HandoffId handoff() const { return handoff_; }
  HandoffReason reason() const { return reason_; }
  std::uint32_t retry_after_ms() const { return retry_after_ms_; }
  std::uint32_t first_page() const { return first_page_; }
  TokenId first_token() const { return first_token_; }

 private:
  void Handle(const Offered& event, Instant now, ReceiverActions& out);
  void Handle(const Lent& event, Instant now, ReceiverActions& out);
  void Handle(const Refused& event, Instant now, ReceiverActions& out);
  void Handle(const Progressed& event, Instant now, ReceiverActions& out);
  void Handle(const Corrupted& event, Instant now, ReceiverActions& out);
  void Handle(const Renewed& event, Instant now, ReceiverActions& out);
  void Handle(const CommitArrived& event, Instant now, ReceiverActions& out);
  void Handle(const PeerAborted& event, Instant now, ReceiverActions& out);
  void Handle(const Dropped& event, Instant now, ReceiverActions& out);
  void Handle(const SessionLost& event, Instant now, ReceiverActions& out);
  void Handle(const Timer& event, Instant now, ReceiverActions& out);

  bool Agrees(const CommitMessage& commit, const LeaseProgress& progress) const;

  /// How the peer hears of an end.
  enum class Tell { kNothing, kAbort, kRefusedCommit };
  void Close(HandoffReason reason, Tell tell, ReceiverActions& out);

  const Plan plan_;
  const TransferLimits limits_;
  ReceiverState state_ = ReceiverState::kExpected;
  HandoffReason reason_ = HandoffReason::kCommitted;
  std::uint32_t retry_after_ms_ = 0;
  HandoffId handoff_{};
  bool peer_knows_us_ = false;  // it offered
  std::uint32_t first_page_ = 0;
  std::uint32_t lent_end_ = 0;  // ordinals below are lent
  bool lent_all_ = false;
  Instant grant_until_{};  // the engine answers the Offer by then
  Instant lease_end_{};
  Instant progress_at_{};
  TokenId first_token_ = 0;
};

}  // namespace baton
