// The prefill end of one session: this worker's life with one life of one decode worker.
//
//   Idle --connect--> Connecting --HelloAck--> Open --lost--> Idle (back-off 0.1 -> 5 s, jittered)
//                         |  refused, late, lost                ^
//                         +-------------------------------------+
//
// Holds numbers and clocks; sending and polling is OutboundTransfers' business. Leases never
// survive a session: a new Hello is a new session.
//
// Thread: confined to the transfer thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/time.h"
#include "kvtransfer/handoff_message.h"
#include "kvtransfer/handoff_types.h"
#include "kvtransfer/outbound_messages.h"
#include "kvtransfer/piece_plan.h"
#include "kvtransfer/session_pipe.h"

namespace baton {

enum class OutboundSessionState { kIdle, kConnecting, kOpen };

class OutboundSession {
 public:
  static constexpr std::uint64_t kUnwrittenBytesMax = 512 << 10;  // half of a core's second cache

  OutboundSession(DecodePeer peer, const TransferLimits& limits)
      : peer_(std::move(peer)), limits_(limits) {}

  // --- life

  /// An endpoint is open and Hello{nonce} leaves through pipe().
  void Connecting(SessionPipe pipe, std::uint64_t nonce, Instant now);

  /// What is wrong with an acknowledgement, "" when nothing: it comes from the wire.
  std::string Misfit(const HelloAckMessage& ack, std::uint64_t page_bytes) const;

  /// The peer accepted. `ack` has no Misfit.
  void Opened(SessionId session, const HelloAckMessage& ack);

  /// The endpoint is gone. `jitter` in [0, 1) spreads the next attempt.
  void Lost(double jitter, Instant now);

  // --- renewals: Offers and Renews are numbered together, and the time of sending remembered

  /// The number of an Offer or Renew sent now.
  std::uint32_t Numbered(Instant now);

  /// How long posting is allowed by an answer to number `renew`; nothing when it is too old to be
  /// remembered, or was never sent.
  std::optional<Instant> PostUntil(std::uint32_t renew) const;

  /// The peer answered everything up to `renew`.
  void Answered(std::uint32_t renew);

  /// When the next Renew is due, while a hand-off lives.
  Instant renew_due() const { return renewed_at_ + renew_every_; }
  void set_renewed_at(Instant now) { renewed_at_ = now; }

  /// When the silence of the peer ends the session; kNever while nothing waits for an answer.
  Instant silence_due() const;

  // --- window

  /// Room in the peer's window, and in what the transport has taken and not yet sent: what was
  /// checksummed should still be in the cache when the wire copies it.
  bool WindowHolds(std::uint64_t bytes) const {
    return in_window() + bytes <= window_bytes_ &&
           posted_bytes_ - written_bytes_ + bytes <= kUnwrittenBytesMax;
  }
  /// As WindowHolds; and one frame always fits an empty window.
  bool WindowAllows(std::uint64_t bytes) const { return in_window() == 0 || WindowHolds(bytes); }
  void CountPosted(std::uint64_t frames, std::uint64_t bytes, Instant now);
  /// A write of `bytes` has been reported. Needs to be one of this session.
  void CountWritten(std::uint64_t bytes) { written_bytes_ += bytes; }
  /// `consumed` is cumulative; what was never posted is ignored. Credits show the rate, and the
  /// rate sets the window.
  void Credited(std::uint64_t consumed, Instant now);
  std::uint64_t window_bytes() const { return window_bytes_; }
  /// What the wire takes for so many bytes at the rate that credits show; nothing before they do.
  std::optional<Duration> WireTime(std::uint64_t bytes) const;

  const DecodePeer& peer() const { return peer_; }
  void set_peer(const DecodePeer& peer) { peer_ = peer; }
  OutboundSessionState state() const { return state_; }
  bool open() const { return state_ == OutboundSessionState::kOpen; }
  SessionPipe& pipe() { return *pipe_; }  // not when idle
  const SessionPipe& pipe() const { return *pipe_; }
  SessionId id() const { return pipe_.has_value() ? pipe_->session() : SessionId{}; }
  bool has_pipe() const { return pipe_.has_value(); }
  std::uint64_t nonce() const { return nonce_; }
  Instant connect_at() const { return connect_at_; }
  Instant hello_until() const { return hello_until_; }
  const PiecePlan& plan() const { return plan_; }
  /// Something could not be said: the owner loses the session at its next round.
  bool broken() const { return broken_; }
  void set_broken() { broken_ = true; }
  /// Hand-offs of this session that are not over, as counted by the owner each round.
  std::uint32_t live() const { return live_; }
  void set_live(std::uint32_t live) { live_ = live; }
  bool peer_drains() const { return peer_drains_; }
  void set_peer_drains() { peer_drains_ = true; }

 private:
  struct SentNumber {
    std::uint32_t number;
    Instant at;
  };
  bool RateIsKnown() const;
  std::uint64_t in_window() const { return posted_bytes_ - credited_bytes_; }

  DecodePeer peer_;
  const TransferLimits limits_;
  OutboundSessionState state_ = OutboundSessionState::kIdle;
  std::optional<SessionPipe> pipe_;
  std::uint64_t nonce_ = 0;
  Instant connect_at_{};  // not before
  Instant hello_until_{};
  Duration backoff_{};
  PiecePlan plan_;
  Duration ttl_{};
  Duration renew_every_{};
  std::uint64_t window_bytes_ = 0;
  std::uint64_t window_bytes_max_ = 0;  // as the peer allows
  Instant busy_since_{};                // bytes were under way all the time since
  double measured_bytes_ = 0;
  double measured_seconds_ = 0;
  std::uint64_t posted_bytes_ = 0;
  std::uint64_t written_bytes_ = 0;
  std::uint64_t credited_bytes_ = 0;
  std::uint32_t next_number_ = 1;
  std::uint32_t answered_ = 0;
  std::deque<SentNumber> sent_;  // in order, at most kSentNumbersMax
  Instant renewed_at_{};
  bool broken_ = false;
  std::uint32_t live_ = 0;
  bool peer_drains_ = false;
};

}  // namespace baton
