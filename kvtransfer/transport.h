// The seam between the hand-off protocol and the wire: frames that carry pieces of pages under a
// lease, and small ordered messages.
//
// Implementations: LoopbackTransport (same process, deterministic, can hold, drop and cut),
// UcxTransport (UCX validated active messages over shared memory or TCP), the simulator's. One
// conformance suite (tests/kvtransfer/transport_conformance.h) holds every implementation to this
// comment.
//
// Ends: a *peer* is an endpoint that we opened to somebody's address; what arrives is not
// attributed to a peer but to the session number in its header, which the layer above checks. A
// receiver that wants to answer opens its own peer from the address in Hello.
//
// Promises:
//  1. Nothing happens outside Poll(), which never blocks and lands at most 64 frames or 200 us of
//     work.
//  2. Messages: at most once, in order within a peer. A session delivers or its peer is lost.
//  3. A message is delivered only after every frame posted before it to the same peer has been
//     offered to the sink and landed or been refused.
//  4. A frame's payload is copied only after FrameSink::Admit returned a place for it, and
//     FrameSink::Landed follows in the same Poll(): outside Poll() no landing is in progress. The
//     sender cannot name an address.
//  5. Write and Send check their ranges when posted; source bytes stay untouched until WriteDone.
//  6. After PeerLost nothing more of that peer is posted or reported: the WriteDones of its open
//     writes (with an error) come before it. Each tag is reported exactly once, also by Close.
//
// Thread: confined to the transfer thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/ids.h"
#include "base/time.h"

namespace baton {

enum class PeerId : std::uint32_t {};
enum class SessionId : std::uint64_t {};  // random, not 0; chosen by the receiver of pages

/// What stands in front of a piece on the wire. 40 bytes, little endian
/// (kvtransfer/frame_header.h).
struct FrameHeader {
  SessionId session{};
  LeaseId lease{};
  std::uint32_t sequence = 0;  // of frames in this session and direction, from 0
  std::uint32_t page = 0;      // ordinal in the prompt, from 0; not a page number
  std::uint16_t piece = 0;     // of the page
  std::uint16_t pieces = 0;    // the page has so many
  std::uint32_t bytes = 0;     // of the payload
  std::uint32_t crc32c = 0;    // of the payload; given by whoever posts (it goes into the digest
                               // too), compared by the receiving transport while it copies
};

/// The receiver of frames: decides where a payload may land. Implemented by LeaseTable.
class FrameSink {
 public:
  virtual ~FrameSink() = default;

  /// Where the payload goes: exactly header.bytes bytes; or null to refuse it (counted by the
  /// sink).
  virtual std::byte* Admit(const FrameHeader& header) = 0;

  /// Follows an admission: the bytes are there, and whether their checksum agrees with the
  /// header's.
  virtual void Landed(const FrameHeader& header, bool checksum_agrees) = 0;
};

/// One piece to send. `source` stays valid and unchanged until the write's WriteDone.
struct FrameWrite {
  FrameHeader header;
  const std::byte* source = nullptr;  // [header.bytes]
};

struct WriteDone {
  std::uint64_t tag;
  absl::Status status;
};
struct MessageReceived {
  std::string payload;  // as given to Send
};
struct PeerLost {
  PeerId peer;
  absl::Status reason;
};
using TransportEvent = std::variant<WriteDone, MessageReceived, PeerLost>;

inline constexpr std::size_t kMessageBytesMax = 8 * 1024 + 32;  // header and body
inline constexpr std::size_t kFrameBytesMax = 256 * 1024;       // payload of one frame
/// Frames up to this travel whole in one segment of shared memory and land without reassembly:
/// 9 against 3.5 GB/s in one thread. Over TCP the largest are the best: every one costs a call of
/// the kernel (docs/transports.md).
inline constexpr std::size_t kFrameBytesOneSegment = 39 * 1024;

/// What carries a peer's bytes, as found, not as wished.
struct PeerDescription {
  std::string engine;  // "validated"
  std::string wire;    // "tcp", "shm", "loopback"; "unknown" until the first exchange shows it
  std::size_t frame_bytes_best = kFrameBytesOneSegment;  // known from Connect on
};

class Transport {
 public:
  virtual ~Transport() = default;

  /// Who decides where arriving frames land; null (as at start) refuses them all. The sink outlives
  /// the transport's last Poll(), or is taken away before.
  virtual void SetSink(FrameSink* sink) = 0;

  /// Ours, for Connect at the other end. At most 4 KiB.
  virtual std::string address() const = 0;

  /// Opens an endpoint. Returns at once; failure shows as PeerLost.
  /// Errors: InvalidArgument (not an address), ResourceExhausted (too many peers).
  virtual absl::StatusOr<PeerId> Connect(absl::string_view address) = 0;

  /// Closes an endpoint; open writes are reported as cancelled. Closing twice is harmless.
  virtual void Close(PeerId peer) = 0;

  /// Posts frames, in order. One WriteDone with `tag` follows when their sources may be reused.
  /// Errors: InvalidArgument (empty, too large), Unavailable (peer lost or closed),
  /// ResourceExhausted (too much posted: poll first).
  virtual absl::Status Write(PeerId peer, std::span<const FrameWrite> frames,
                             std::uint64_t tag) = 0;

  /// Errors: as Write.
  virtual absl::Status Send(PeerId peer, absl::string_view payload) = 0;

  /// Makes progress and appends what happened since the last call.
  virtual void Poll(std::vector<TransportEvent>& events) = 0;

  /// Readable when Poll() may have work: for epoll, with ArmWakeup() in front of every wait. -1
  /// when the implementation has none (loopback, simulation).
  virtual int wake_fd() const = 0;

  /// False when there is work already: poll again instead of waiting.
  virtual bool ArmWakeup() = 0;

  virtual PeerDescription Describe(PeerId peer) const = 0;
};

}  // namespace baton
