// What arrives: frames go through the sink into their page, messages go up in order.
//
// Its handlers run inside ucp_worker_progress, that is inside Poll(), on the transfer thread. UCX's
// buffer is only valid inside the handler, so that a landing is never left over.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "kvtransfer/frame_header.h"
#include "kvtransfer/inbound_order.h"
#include "kvtransfer/transport.h"
#include "kvtransfer/ucx_worker.h"

namespace baton {

/// In front of a frame's payload: the stream, then the frame header.
inline constexpr std::size_t kFrameEnvelopeBytes = 8 + kFrameHeaderBytes;

/// A UcxNote that arrived.
struct UcxNoteReceived {
  unsigned id = 0;
  StreamId stream{};
  std::string body;
};

inline constexpr std::size_t kNotesWaitingMax = 256;

class UcxReceiver;

/// Where one worker's messages enter the receiver; counts what a lane's window is made of. Outlives
/// its worker and does not move.
struct UcxInlet {
  UcxReceiver* receiver = nullptr;
  std::uint64_t segments = 0;  // consumed since the start
};

class UcxReceiver {
 public:
  /// Appends MessageReceived to `events`, which outlives the receiver.
  explicit UcxReceiver(std::vector<TransportEvent>& events) : events_(events) {}
  UcxReceiver(const UcxReceiver&) = delete;
  UcxReceiver& operator=(const UcxReceiver&) = delete;

  /// From now on the worker's messages come here, through `inlet`. The receiver outlives the
  /// worker. Any number of workers.
  absl::Status Attach(UcxWorker& worker, UcxInlet& inlet);

  void SetSink(FrameSink* sink) { sink_ = sink; }

  /// Opens a round in which at most `frames_max` frames are offered to the sink; first those that
  /// the last round left over. UCX hands over all that one socket read brought, which may be more:
  /// the rest is copied aside, at most one socket buffer a connection, and keeps its order.
  void BeginRound(std::uint64_t frames_max);

  /// Whether this round may offer no more frames.
  bool RoundIsFull() const { return frames_ >= round_end_; }

  /// Whether something was left over for the next round.
  bool HasLeftOver() const { return !left_over_.empty(); }

  /// Sets `out` to what arrived since the last call; keeps its memory. Acted on outside the
  /// handlers, which must not open or close anything.
  void TakeNotes(std::vector<UcxNoteReceived>& out);

  /// Arrivals that were no frame or message of ours, or came twice.
  std::uint64_t dropped() const { return dropped_; }

 private:
  static ucs_status_t OnFrame(void* arg, const void* header, std::size_t header_bytes, void* data,
                              std::size_t bytes, const ucp_am_recv_param_t* param);
  static ucs_status_t OnMessage(void* arg, const void* header, std::size_t header_bytes, void* data,
                                std::size_t bytes, const ucp_am_recv_param_t* param);
  template <unsigned kId>
  static ucs_status_t OnNote(void* arg, const void* header, std::size_t header_bytes, void* data,
                             std::size_t bytes, const ucp_am_recv_param_t* param);
  struct LeftOver {
    bool is_frame;
    std::vector<std::byte> envelope;
    std::vector<std::byte> payload;
  };

  bool LeaveOver(bool is_frame, std::span<const std::byte> envelope,
                 std::span<const std::byte> payload);
  void TakeFrame(std::span<const std::byte> envelope, std::span<const std::byte> payload);
  void TakeMessage(std::span<const std::byte> envelope, std::span<const std::byte> payload);
  void Land(const FrameHeader& header, std::span<const std::byte> payload);
  void PassUp();

  std::vector<TransportEvent>& events_;
  FrameSink* sink_ = nullptr;
  InboundOrder order_;
  std::vector<std::string> ready_;
  std::vector<UcxNoteReceived> notes_;
  std::deque<LeftOver> left_over_;
  std::uint64_t frames_ = 0;     // offered to the sink since the start
  std::uint64_t round_end_ = 0;  // of frames_
  std::uint64_t dropped_ = 0;
};

}  // namespace baton
