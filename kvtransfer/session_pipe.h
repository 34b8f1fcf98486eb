// The numbered messages of one session over one endpoint: headers out, order checked in. What the
// transport has no room for waits here, in order, up to a bound; beyond it the session is lost, for
// a session delivers or is lost, it never skips.
//
// Thread: confined to the transfer thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/status/status.h"
#include "kvtransfer/handoff_message.h"
#include "kvtransfer/handoff_wire.h"
#include "kvtransfer/transport.h"

namespace baton {

inline constexpr std::size_t kPipeMessagesMax = 1024;  // waiting for room in the transport

/// How an arriving message stands to the ones before it.
enum class Arrival { kNext, kDuplicate, kGap };

class SessionPipe {
 public:
  /// `transport` outlives this. `peer` is closed by the owner.
  SessionPipe(Transport& transport, PeerId peer) : transport_(&transport), peer_(peer) {}

  /// Numbers begin anew, for both directions; `arrived` messages of the session came already.
  void Open(SessionId session, std::uint32_t arrived);

  /// Errors: InvalidArgument (a message beyond a limit), Unavailable (peer lost),
  /// ResourceExhausted (more waits than the bound).
  absl::Status Send(const HandoffMessage& message);

  /// Gives the transport what waits. Errors: Unavailable.
  absl::Status Flush();

  Arrival Take(const HandoffHeader& header);

  /// Counts frames posted to the peer, for the messages behind them.
  void CountFrames(std::uint64_t frames) { frames_posted_ += frames; }

  PeerId peer() const { return peer_; }
  SessionId session() const { return session_; }
  std::uint64_t frames_posted() const { return frames_posted_; }
  bool waits() const { return !waiting_.empty(); }

 private:
  Transport* transport_;
  PeerId peer_;
  SessionId session_{};
  std::uint32_t next_out_ = 0;
  std::uint32_t next_in_ = 0;
  std::uint64_t frames_posted_ = 0;
  std::deque<std::string> waiting_;
};

}  // namespace baton
