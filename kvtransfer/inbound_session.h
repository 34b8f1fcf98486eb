// The decode end of one session: this life of this worker with one life of one prefill worker. Its
// number, drawn at random, is what frames and messages must know to be heard at all.
//
// Thread: confined to the transfer thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/ids.h"
#include "base/time.h"
#include "kvtransfer/session_pipe.h"

namespace baton {

struct InboundSession {
  std::string worker_id;
  Incarnation incarnation{};
  SessionPipe pipe;
  std::uint32_t renew_seen = 0;      // the highest number of an Offer or Renew
  std::uint64_t credited_bytes = 0;  // told to the peer
  std::uint32_t live = 0;            // hand-offs, as counted each round
  bool peer_drains = false;
  Instant farewell_at = kNever;  // a draining peer without hand-offs: its last answers have left
  bool broken = false;           // something could not be said: lost at the next round
};

/// An endpoint that only carried a refusal, kept until that has surely left.
struct RefusedPeer {
  SessionPipe pipe;
  Instant close_at;
};

}  // namespace baton
