// The prefill end of one hand-off, as a machine without I/O: events in, actions out.
//
//   Waiting --session open--> Offered --Grant--> Sending --all posted, token--> Committing
//      |                        |                  |  ^ Grant, pages, renewals     |      |
//      |                        |                  |  +--------------+             |      |
//      +---- cancel, deadline, peer lost, Abort, write failed, lease end ----> Failed   CommitAck
//                                                                                ^ refused |
//                                                                                +---------+--ok-->
//                                                                                Complete
//
// Terminal does not mean over: the source pages are read until every posted write has reported.
// `settled()` says so; only then may they go. A deadline ends posting, it frees nothing.
//
// Thread: confined to the transfer thread.
#pragma once

#include <cstdint>
#include <variant>

#include "absl/container/inlined_vector.h"
#include "base/ids.h"
#include "base/time.h"
#include "kvtransfer/handoff_message.h"
#include "kvtransfer/handoff_types.h"
#include "kvtransfer/piece_order.h"
#include "kvtransfer/piece_plan.h"

namespace baton {

enum class SenderState { kWaiting, kOffered, kSending, kCommitting, kComplete, kFailed };
inline constexpr int kSenderStates = 6;

/// What the caller does next, in order; details are read from the sender.
enum class SenderAction {
  kSendOffer,
  kSendCommit,     // commit()
  kSendAbort,      // reason(), drained()
  kSendAbortAck,   // of lease(): nothing of it is outstanding
  kNotifyGranted,  // first_page()
  kNotifyEnded,    // reason()
  kNotifySettled,  // the source pages may go
};
using SenderActions = absl::InlinedVector<SenderAction, 4>;

class HandoffSender {
 public:
  // --- events
  struct SessionOpened {
    PiecePlan plan;  // as the receiver cuts pages
  };
  /// `post_until`: how long the Grant allows posting, counted from when we sent what it answers.
  struct Granted {
    GrantMessage grant;
    Instant post_until;
  };
  /// Pages [0, end) of the prompt are complete at the source.
  struct PagesReady {
    std::uint32_t end = 0;
  };
  /// The first `bytes` of each page from `first` on are complete: layers of the last chunk.
  struct FrontsReady {
    std::uint32_t first = 0;
    std::uint64_t bytes = 0;
  };
  struct FirstToken {
    TokenId token = 0;
    bool ends = false;
  };
  struct Renewed {
    Instant post_until;
  };
  struct LeaseUnknown {};
  /// A batch of pieces went to the transport.
  struct Posted {
    std::uint32_t pieces = 0;
    std::uint64_t bytes = 0;
    std::uint64_t digest = 0;  // sum over the batch
  };
  /// A batch's WriteDone.
  struct WriteReported {
    bool ok = true;
  };
  struct PeerAborted {
    HandoffReason reason{};
  };
  struct CommitAcked {
    bool ok = false;
    HandoffReason reason{};
  };
  struct Cancelled {
    HandoffReason reason{};
  };
  struct SessionLost {
    HandoffReason reason = HandoffReason::kPeerLost;
  };
  struct Timer {};

  using Event = std::variant<SessionOpened, Granted, PagesReady, FrontsReady, FirstToken, Renewed,
                             LeaseUnknown, Posted, WriteReported, PeerAborted, CommitAcked,
                             Cancelled, SessionLost, Timer>;

  struct Plan {
    HandoffId handoff{};
    std::uint32_t attempt = 0;
    std::uint32_t num_pages = 0;  // of the prompt
    std::uint32_t prompt_tokens = 0;
    std::uint32_t ready_pages = 0;
  };

  HandoffSender(const Plan& plan, const TransferLimits& limits, Instant now);

  SenderActions On(const Event& event, Instant now);

  /// The `ahead`-th piece after those posted, if it may be posted now.
  bool NextPiece(std::uint32_t ahead, Instant now, PieceToSend& piece) const;

  /// When Timer is due; kNever when terminal.
  Instant due() const;

  SenderState state() const { return state_; }
  bool terminal() const {
    return state_ == SenderState::kComplete || state_ == SenderState::kFailed;
  }
  /// Terminal, and every posted write has reported.
  bool settled() const { return terminal() && writes_open_ == 0; }
  bool drained() const { return writes_open_ == 0; }
  HandoffReason reason() const { return reason_; }
  LeaseId lease() const { return lease_; }  // 0 before the first Grant
  std::uint32_t first_page() const { return order_.first_page(); }
  std::uint32_t pages_sent() const { return order_.pages_sent(); }
  std::uint64_t bytes_posted() const { return bytes_; }
  std::uint64_t writes_open() const { return writes_open_; }
  CommitMessage commit() const;

 private:
  void Handle(const SessionOpened& event, Instant now, SenderActions& out);
  void Handle(const Granted& event, Instant now, SenderActions& out);
  void Handle(const PagesReady& event, Instant now, SenderActions& out);
  void Handle(const FrontsReady& event, Instant now, SenderActions& out);
  void Handle(const FirstToken& event, Instant now, SenderActions& out);
  void Handle(const Renewed& event, Instant now, SenderActions& out);
  void Handle(const LeaseUnknown& event, Instant now, SenderActions& out);
  void Handle(const Posted& event, Instant now, SenderActions& out);
  void Handle(const WriteReported& event, Instant now, SenderActions& out);
  void Handle(const PeerAborted& event, Instant now, SenderActions& out);
  void Handle(const CommitAcked& event, Instant now, SenderActions& out);
  void Handle(const Cancelled& event, Instant now, SenderActions& out);
  void Handle(const SessionLost& event, Instant now, SenderActions& out);
  void Handle(const Timer& event, Instant now, SenderActions& out);

  /// What is wrong with a Grant, if anything: it comes from the wire.
  bool Fits(const GrantMessage& grant) const;
  void TryCommit(Instant now, SenderActions& out);
  void Fail(HandoffReason reason, bool tell_peer, SenderActions& out);
  void Settle(SenderActions& out);

  const Plan plan_;
  const TransferLimits limits_;
  SenderState state_ = SenderState::kWaiting;
  HandoffReason reason_ = HandoffReason::kCommitted;
  PieceOrder order_;
  LeaseId lease_{};
  std::uint32_t grants_ = 0;  // taken
  bool granted_all_ = false;
  std::uint64_t writes_open_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t digest_ = 0;
  bool token_known_ = false;
  TokenId first_token_ = 0;
  Instant grant_until_;          // a first Grant must come by then
  Instant post_until_{};         // no new posts from then on
  Instant commit_until_{};       // the CommitAck must come by then
  bool owes_abort_ack_ = false;  // the peer waits to hear that nothing is outstanding
  bool told_settled_ = false;
};

}  // namespace baton
