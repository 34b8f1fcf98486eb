#include "kvtransfer/ucx_receiver.h"

#include <utility>

#include "base/status.h"
#include "kvtransfer/copy_crc.h"
#include "kvtransfer/ucx_address.h"
#include "kvtransfer/ucx_window.h"

namespace baton {
namespace {

/// A rendezvous announces a payload that is not there yet. Ours never send one.
bool IsRendezvous(const ucp_am_recv_param_t* param) {
  return (param->recv_attr & UCP_AM_RECV_ATTR_FLAG_RNDV) != 0;
}

std::span<const std::byte> Bytes(const void* data, std::size_t bytes) {
  return {static_cast<const std::byte*>(data), bytes};
}

}  // namespace

template <unsigned kId>
ucs_status_t UcxReceiver::OnNote(void* arg, const void* header, std::size_t header_bytes,
                                 void* data, std::size_t bytes, const ucp_am_recv_param_t* param) {
  UcxReceiver* const self = static_cast<UcxInlet*>(arg)->receiver;
  if (IsRendezvous(param) || header_bytes != 8 || bytes > kTransportAddressBytesMax ||
      self->notes_.size() >= kNotesWaitingMax) {
    ++self->dropped_;
    return UCS_OK;
  }
  const auto stream = LoadLittleEndian<std::uint64_t>(static_cast<const std::byte*>(header));
  self->notes_.push_back(
      {kId, static_cast<StreamId>(stream), std::string(static_cast<const char*>(data), bytes)});
  return UCS_OK;
}

absl::Status UcxReceiver::Attach(UcxWorker& worker, UcxInlet& inlet) {
  inlet.receiver = this;
  BATON_RETURN_IF_ERROR(worker.Handle(kFrameMessageId, &UcxReceiver::OnFrame, &inlet));
  BATON_RETURN_IF_ERROR(worker.Handle(kSmallMessageId, &UcxReceiver::OnMessage, &inlet));
  BATON_RETURN_IF_ERROR(worker.Handle(kKnockId, &UcxReceiver::OnNote<kKnockId>, &inlet));
  BATON_RETURN_IF_ERROR(worker.Handle(kWelcomeId, &UcxReceiver::OnNote<kWelcomeId>, &inlet));
  BATON_RETURN_IF_ERROR(worker.Handle(kGoodbyeId, &UcxReceiver::OnNote<kGoodbyeId>, &inlet));
  return worker.Handle(kCreditId, &UcxReceiver::OnNote<kCreditId>, &inlet);
}

ucs_status_t UcxReceiver::OnFrame(void* arg, const void* header, std::size_t header_bytes,
                                  void* data, std::size_t bytes, const ucp_am_recv_param_t* param) {
  auto* const inlet = static_cast<UcxInlet*>(arg);
  UcxReceiver* const self = inlet->receiver;
  inlet->segments += SegmentsOf(bytes);
  if (IsRendezvous(param) || header_bytes != kFrameEnvelopeBytes) {
    ++self->dropped_;
    return UCS_OK;
  }
  if (self->LeaveOver(true, Bytes(header, header_bytes), Bytes(data, bytes))) return UCS_OK;
  self->TakeFrame(Bytes(header, header_bytes), Bytes(data, bytes));
  return UCS_OK;
}

ucs_status_t UcxReceiver::OnMessage(void* arg, const void* header, std::size_t header_bytes,
                                    void* data, std::size_t bytes,
                                    const ucp_am_recv_param_t* param) {
  auto* const inlet = static_cast<UcxInlet*>(arg);
  UcxReceiver* const self = inlet->receiver;
  inlet->segments += SegmentsOf(bytes);
  if (IsRendezvous(param) || header_bytes != kMessageHeaderBytes || bytes > kMessageBytesMax) {
    ++self->dropped_;
    return UCS_OK;
  }
  if (self->LeaveOver(false, Bytes(header, header_bytes), Bytes(data, bytes))) return UCS_OK;
  self->TakeMessage(Bytes(header, header_bytes), Bytes(data, bytes));
  return UCS_OK;
}

void UcxReceiver::TakeNotes(std::vector<UcxNoteReceived>& out) {
  out.clear();
  out.swap(notes_);
}

bool UcxReceiver::LeaveOver(bool is_frame, std::span<const std::byte> envelope,
                            std::span<const std::byte> payload) {
  if (!RoundIsFull() && left_over_.empty()) return false;
  left_over_.push_back(
      {is_frame, {envelope.begin(), envelope.end()}, {payload.begin(), payload.end()}});
  return true;
}

void UcxReceiver::BeginRound(std::uint64_t frames_max) {
  round_end_ = frames_ + frames_max;
  while (!left_over_.empty() && !RoundIsFull()) {
    const LeftOver next = std::move(left_over_.front());
    left_over_.pop_front();
    next.is_frame ? TakeFrame(next.envelope, next.payload)
                  : TakeMessage(next.envelope, next.payload);
  }
}

void UcxReceiver::TakeFrame(std::span<const std::byte> envelope,
                            std::span<const std::byte> payload) {
  ++frames_;
  const auto stream = static_cast<StreamId>(LoadLittleEndian<std::uint64_t>(envelope.data()));
  const std::optional<FrameHeader> header = DecodeFrameHeader(envelope.subspan(8));
  if (header.has_value() && header->bytes == payload.size()) {
    Land(*header, payload);
  } else {
    ++dropped_;
  }
  order_.OnFrame(stream, ready_);
  PassUp();
}

void UcxReceiver::Land(const FrameHeader& header, std::span<const std::byte> payload) {
  std::byte* const place = sink_ == nullptr ? nullptr : sink_->Admit(header);
  if (place == nullptr) return;
  const std::uint32_t crc32c = CopyAndCrc32c(place, payload.data(), payload.size());
  sink_->Landed(header, crc32c == header.crc32c);
}

void UcxReceiver::TakeMessage(std::span<const std::byte> envelope,
                              std::span<const std::byte> payload) {
  MessageHeader header;
  header.stream = static_cast<StreamId>(LoadLittleEndian<std::uint64_t>(envelope.data()));
  header.number = LoadLittleEndian<std::uint64_t>(envelope.data() + 8);
  header.frames_before = LoadLittleEndian<std::uint64_t>(envelope.data() + 16);
  const absl::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
  if (!order_.OnMessage(header, text, ready_)) ++dropped_;
  PassUp();
}

void UcxReceiver::PassUp() {
  for (std::string& payload : ready_) events_.push_back(MessageReceived{std::move(payload)});
  ready_.clear();
}

}  // namespace baton
