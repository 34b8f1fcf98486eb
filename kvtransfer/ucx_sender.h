// What is posted: frames and messages on their way out, and the writes they belong to.
//
// Everything that UCX reads while a send is open lives in a slot of a pool made at start, so that
// posting allocates nothing. A write is open until the last of its frames has reported; the first
// error is the write's.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "kvtransfer/inbound_order.h"
#include "kvtransfer/transport.h"
#include "kvtransfer/ucx_peer.h"
#include "kvtransfer/ucx_receiver.h"
#include "kvtransfer/ucx_worker.h"

namespace baton {

class UcxSender {
 public:
  /// Appends WriteDone to `events`, which outlives the sender.
  UcxSender(const UcxOptions& options, std::vector<TransportEvent>& events);
  UcxSender(const UcxSender&) = delete;
  UcxSender& operator=(const UcxSender&) = delete;

  /// As Transport::Write and Send, for an open peer.
  absl::Status Write(UcxPeer& peer, std::span<const FrameWrite> frames, std::uint64_t tag);
  absl::Status Send(UcxPeer& peer, absl::string_view payload);

  /// Posts what waited for the peer's route or for room in it, as far as there is room; reports it
  /// all as cancelled when the peer has ended.
  void ReleaseWaiting(UcxPeer& peer);

 private:
  static constexpr std::uint32_t kNoWrite = ~std::uint32_t{0};

  struct Outgoing {
    unsigned id = 0;
    std::size_t header_bytes = 0;
    const void* data = nullptr;
    std::size_t bytes = 0;
  };
  struct Slot {
    UcxSender* sender = nullptr;
    UcxPeer* peer = nullptr;
    std::uint32_t index = 0;
    std::uint32_t write = kNoWrite;
    std::array<std::byte, kFrameEnvelopeBytes> header{};
    std::vector<std::byte> body;  // of a message; a frame is sent from its source
    Outgoing out{};
  };
  struct OpenWrite {
    std::uint64_t tag = 0;
    std::size_t frames_open = 0;
    absl::Status status;
  };

  static void OnDone(void* request, ucs_status_t status, void* slot);
  static absl::Status CheckFrame(const FrameWrite& frame);
  void Post(Slot& slot);
  void PostNow(Slot& slot);
  void Finish(Slot& slot, ucs_status_t status);
  Slot& TakeFrameSlot(UcxPeer& peer, std::uint32_t write);

  std::vector<TransportEvent>& events_;
  std::vector<Slot> slots_;  // frames_open_max frame slots, then messages_open_max message slots
  std::uint32_t frame_slots_;
  std::vector<std::uint32_t> free_frames_;
  std::vector<std::uint32_t> free_messages_;
  std::vector<OpenWrite> writes_;  // [frames_open_max]: a write has at least one frame
  std::vector<std::uint32_t> free_writes_;
};

}  // namespace baton
