#include "tests/faults/fault_transport.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "kvtransfer/handoff_wire.h"

namespace baton {
namespace {

constexpr std::array<const char*, std::variant_size_v<HandoffMessage>> kMessages = {
    "hello",  "hello_ack", "offer",      "grant", "renew",     "renew_ack",
    "credit", "commit",    "commit_ack", "abort", "abort_ack", "bye"};

}  // namespace

FaultTransport::FaultTransport(std::unique_ptr<Transport> wire, const KvArena& pages,
                               Failpoints& points, bool puts)
    : wire_(std::move(wire)), points_(points) {
  if (puts) puts_.emplace(pages);
}

void FaultTransport::SetSink(FrameSink* sink) {
  if (!puts_.has_value() || sink == nullptr) return wire_->SetSink(sink);
  puts_->SetSink(*sink);
  wire_->SetSink(&*puts_);
}

absl::Status FaultTransport::Write(PeerId peer, std::span<const FrameWrite> frames,
                                   std::uint64_t tag) {
  points_.Pass("writing");
  return wire_->Write(peer, frames, tag);
}

absl::Status FaultTransport::Send(PeerId peer, absl::string_view payload) {
  const absl::StatusOr<DecodedMessage> decoded = DecodeMessage(payload);
  BATON_CHECK(decoded.ok());  // our own end has just encoded it
  if (puts_.has_value()) puts_->Follow(*decoded);
  const char* name = kMessages[decoded->message.index()];
  points_.Pass(absl::StrCat("sending.", name));
  absl::Status sent = wire_->Send(peer, payload);
  points_.Pass(absl::StrCat("sent.", name));
  return sent;
}

}  // namespace baton
