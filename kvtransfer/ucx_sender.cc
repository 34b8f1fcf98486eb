#include "kvtransfer/ucx_sender.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status.h"
#include "kvtransfer/ucx_status.h"
#include "kvtransfer/ucx_window.h"

namespace baton {
namespace {

/// Indices [first, first + count), the smallest on top.
std::vector<std::uint32_t> FreeList(std::uint32_t first, std::uint32_t count) {
  std::vector<std::uint32_t> out;
  out.reserve(count);
  for (std::uint32_t i = count; i > 0; --i) out.push_back(first + i - 1);
  return out;
}

std::uint32_t Pop(std::vector<std::uint32_t>& list) {
  BATON_CHECK(!list.empty());
  const std::uint32_t top = list.back();
  list.pop_back();
  return top;
}

}  // namespace

UcxSender::UcxSender(const UcxOptions& options, std::vector<TransportEvent>& events)
    : events_(events), frame_slots_(static_cast<std::uint32_t>(options.frames_open_max)) {
  const auto messages = static_cast<std::uint32_t>(options.messages_open_max);
  slots_.resize(frame_slots_ + messages);
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    slots_[i].sender = this;
    slots_[i].index = i;
    if (i >= frame_slots_) slots_[i].body.resize(kMessageBytesMax);
  }
  free_frames_ = FreeList(0, frame_slots_);
  free_messages_ = FreeList(frame_slots_, messages);
  writes_.resize(frame_slots_);
  free_writes_ = FreeList(0, frame_slots_);
}

absl::Status UcxSender::CheckFrame(const FrameWrite& frame) {
  const bool sized = frame.header.bytes > 0 && frame.header.bytes <= kFrameBytesMax;
  if (frame.source == nullptr || !sized || frame.header.piece >= frame.header.pieces) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "page %u piece %u of %u: a frame has a source and 1 to %u bytes, this one %u",
        frame.header.page, frame.header.piece, frame.header.pieces, kFrameBytesMax,
        frame.header.bytes));
  }
  return absl::OkStatus();
}

absl::Status UcxSender::Write(UcxPeer& peer, std::span<const FrameWrite> frames,
                              std::uint64_t tag) {
  if (frames.empty() || frames.size() > frame_slots_) {
    return absl::InvalidArgumentError(
        absl::StrFormat("a write has 1 to %u frames, this one %u", frame_slots_, frames.size()));
  }
  for (const FrameWrite& frame : frames) BATON_RETURN_IF_ERROR(CheckFrame(frame));
  if (frames.size() > free_frames_.size()) {
    return absl::ResourceExhaustedError("too many frames are posted: poll first");
  }
  const std::uint32_t write = Pop(free_writes_);
  writes_[write] = OpenWrite{tag, frames.size(), absl::OkStatus()};
  for (const FrameWrite& frame : frames) {
    Slot& slot = TakeFrameSlot(peer, write);
    StoreLittleEndian(static_cast<std::uint64_t>(peer.stream), slot.header.data());
    EncodeFrameHeader(frame.header, std::span(slot.header).last<kFrameHeaderBytes>());
    ++peer.frames_posted;
    slot.out = {kFrameMessageId, kFrameEnvelopeBytes, frame.source, frame.header.bytes};
    Post(slot);
  }
  return absl::OkStatus();
}

UcxSender::Slot& UcxSender::TakeFrameSlot(UcxPeer& peer, std::uint32_t write) {
  Slot& slot = slots_[Pop(free_frames_)];
  slot.peer = &peer;
  slot.write = write;
  return slot;
}

absl::Status UcxSender::Send(UcxPeer& peer, absl::string_view payload) {
  if (payload.empty() || payload.size() > kMessageBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("a message has 1 to %u bytes, this one %u",
                                                      kMessageBytesMax, payload.size()));
  }
  if (free_messages_.empty()) {
    return absl::ResourceExhaustedError("too many messages are posted: poll first");
  }
  Slot& slot = slots_[Pop(free_messages_)];
  slot.peer = &peer;
  slot.write = kNoWrite;
  StoreLittleEndian(static_cast<std::uint64_t>(peer.stream), slot.header.data());
  StoreLittleEndian(peer.messages_posted++, slot.header.data() + 8);
  StoreLittleEndian(peer.frames_posted, slot.header.data() + 16);
  std::memcpy(slot.body.data(), payload.data(), payload.size());
  slot.out = {kSmallMessageId, kMessageHeaderBytes, slot.body.data(), payload.size()};
  Post(slot);
  return absl::OkStatus();
}

void UcxSender::Post(Slot& slot) {
  UcxPeer& peer = *slot.peer;
  ++peer.sends_open;
  if (peer.waiting.empty() && peer.HasRoom(SegmentsOf(slot.out.bytes))) {
    PostNow(slot);
  } else {
    peer.waiting.push_back(slot.index);
  }
}

void UcxSender::PostNow(Slot& slot) {
  UcxPeer& peer = *slot.peer;
  if (peer.state != UcxPeer::State::kOpen) {  // lost while an earlier frame was posted
    Finish(slot, UCS_ERR_CANCELED);
    return;
  }
  peer.segments_posted += SegmentsOf(slot.out.bytes);
  ucp_request_param_t param{};
  param.op_attr_mask =
      UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA | UCP_OP_ATTR_FIELD_FLAGS;
  param.cb.send = &UcxSender::OnDone;
  param.user_data = &slot;
  param.flags = UCP_AM_SEND_FLAG_EAGER;
  void* const request =
      ucp_am_send_nbx(peer.route().get(), slot.out.id, slot.header.data(), slot.out.header_bytes,
                      slot.out.data, slot.out.bytes, &param);
  if (UCS_PTR_IS_PTR(request)) return;  // OnDone follows
  Finish(slot, UCS_PTR_STATUS(request));
}

void UcxSender::ReleaseWaiting(UcxPeer& peer) {
  std::size_t released = 0;
  for (; released < peer.waiting.size(); ++released) {
    Slot& slot = slots_[peer.waiting[released]];
    const bool ended = peer.state != UcxPeer::State::kOpen;
    if (!ended && !peer.HasRoom(SegmentsOf(slot.out.bytes))) break;
    PostNow(slot);
  }
  peer.waiting.erase(peer.waiting.begin(),
                     peer.waiting.begin() + static_cast<std::ptrdiff_t>(released));
}

void UcxSender::OnDone(void* request, ucs_status_t status, void* arg) {
  ucp_request_free(request);
  auto* slot = static_cast<Slot*>(arg);
  slot->sender->Finish(*slot, status);
}

void UcxSender::Finish(Slot& slot, ucs_status_t status) {
  UcxPeer& peer = *slot.peer;
  --peer.sends_open;
  if (status != UCS_OK) peer.MarkLost(FromUcx(status, "a send failed"));
  slot.peer = nullptr;
  if (slot.write == kNoWrite) {
    free_messages_.push_back(slot.index);
    return;
  }
  free_frames_.push_back(slot.index);
  OpenWrite& write = writes_[slot.write];
  if (status != UCS_OK && write.status.ok()) write.status = FromUcx(status, "a frame was not sent");
  if (--write.frames_open > 0) return;
  events_.push_back(WriteDone{write.tag, std::move(write.status)});
  free_writes_.push_back(slot.write);
}

}  // namespace baton
