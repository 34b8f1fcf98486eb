#include "tests/bench/paced_sender.h"

#include <algorithm>

#include "base/status.h"

namespace baton::bench {
namespace {

constexpr TokenId kFirstToken = 42;

TransferLimits LimitsOf(const OverlapShape& shape, bool overlap) {
  TransferLimits limits;
  limits.overlap = overlap;
  limits.layer_group = static_cast<std::uint32_t>(shape.group);
  return limits;
}

}  // namespace

KvLayout OverlapShape::Layout() const {
  KvLayout layout;
  layout.num_layers = layers;
  layout.latent_dim = 512;
  layout.rope_dim = 64;
  return layout;
}

std::uint64_t OverlapShape::GroupBytes() const {
  const std::uint64_t pages = Pages() - ChunkPage(chunks - 1);
  return pages * static_cast<std::uint64_t>(std::min(group, layers)) * Layout().LayerBytes();
}

PacedSender::PacedSender(const KvArena& pages, const OverlapShape& shape, bool overlap)
    : shape_(shape), end_(pages, LimitsOf(shape, overlap)) {}

absl::Status PacedSender::Open(const std::string& wire, ForkedPeer& receiver) {
  BATON_RETURN_IF_ERROR(end_.Open(wire));
  return end_.AddReceiver(receiver, shape_.Receiver());
}

/// The executor's thread: nothing but the times at which layers are done.
void PacedSender::Compute(HandoffId handoff) {
  Instant at = std::chrono::steady_clock::now();
  for (int chunk = 0; chunk < shape_.chunks; ++chunk) {
    const StepSpan span{handoff, shape_.ChunkPage(chunk), shape_.ChunkPage(chunk + 1),
                        chunk + 1 == shape_.chunks};
    end_.Push(OutboundStep{++steps_, {span}});
    for (int layer = 0; layer < shape_.layers; ++layer) {
      at += std::chrono::microseconds(shape_.layer_us);
      clock_.Wait(-1, at);
      end_.Push(OutboundLayer{steps_, static_cast<std::uint32_t>(layer)});
    }
  }
}

absl::StatusOr<OutboundEnded> PacedSender::Run() {
  const HandoffId handoff = end_.Start(0, /*ready_pages=*/0);
  Compute(handoff);
  end_.Push(OutboundFirstToken{handoff, kFirstToken, false});
  BATON_ASSIGN_OR_RETURN(const std::vector<OutboundEnded> ended, end_.Await(1));
  return ended.front();
}

}  // namespace baton::bench
