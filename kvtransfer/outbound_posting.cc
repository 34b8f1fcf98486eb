// Pages onto the wire: hand-offs whose prompt is nearly computed before the others, each kind
// oldest first; in batches, within each session's window and a bounded number of frames a round, so
// that messages and timers are never far away.
#include <algorithm>

#include "kvtransfer/copy_crc.h"
#include "kvtransfer/handoff_digest.h"
#include "kvtransfer/outbound_core.h"

namespace baton {
namespace {

constexpr std::uint32_t kFramesPerRound = 64;
constexpr std::uint32_t kFramesPerBatch = 8;  // one tag, one report

}  // namespace

void OutboundTransfers::Impl::PostPages(Instant now) {
  std::uint32_t frames_left = kFramesPerRound;
  post_again_ = false;
  if (PostPagesOf(/*closing=*/true, frames_left, now)) {
    PostPagesOf(/*closing=*/false, frames_left, now);
  }
}

bool OutboundTransfers::Impl::PostPagesOf(bool closing, std::uint32_t& frames_left, Instant now) {
  for (auto& [id, handoff] : handoffs_) {
    if (handoff.closing != closing) continue;
    while (frames_left > 0) {
      const std::uint32_t posted = PostBatch(handoff, std::min(frames_left, kFramesPerBatch), now);
      if (posted == 0) break;
      frames_left -= posted;
    }
    if (frames_left == 0) post_again_ = true;
    if (post_again_) return false;  // the budget is spent, or the transport has no room
  }
  return true;
}

std::uint32_t OutboundTransfers::Impl::PostBatch(Outbound& handoff, std::uint32_t frames_max,
                                                 Instant now) {
  FillBatch(handoff, frames_max, now);
  if (batch_.empty()) return 0;
  OutboundSession& session = sessions_.at(handoff.session);
  const std::uint64_t tag = next_tag_++;
  const absl::Status posted = transport_.Write(session.pipe().peer(), batch_, tag);
  if (!posted.ok()) {
    post_again_ = true;
    if (!absl::IsResourceExhausted(posted)) session.set_broken();
    return 0;
  }
  HandoffSender::Posted event;
  event.pieces = static_cast<std::uint32_t>(batch_.size());
  for (const FrameWrite& frame : batch_) {
    event.bytes += frame.header.bytes;
    event.digest += DigestOfPiece(frame.header.page, frame.header.piece, frame.header.crc32c);
  }
  batch_.clear();
  session.CountPosted(event.pieces, event.bytes, now);
  stats_.bytes_posted += event.bytes;
  open_writes_[tag] = {handoff.start.handoff, session.id(), event.bytes};
  if (handoff.first_write_at == Instant{}) handoff.first_write_at = now;
  Give(handoff, event, now);
  return event.pieces;
}

bool OutboundTransfers::Impl::BatchIsFor(const Outbound& handoff, const PieceToSend& first) const {
  if (batch_.empty() || batch_of_ != handoff.start.handoff) return false;
  const FrameHeader& header = batch_.front().header;
  return header.page == first.page && header.piece == first.piece;
}

void OutboundTransfers::Impl::FillBatch(const Outbound& handoff, std::uint32_t frames_max,
                                        Instant now) {
  PieceToSend next;
  const bool may_post = handoff.sender.NextPiece(0, now, next);
  if (may_post && BatchIsFor(handoff, next)) return;
  batch_.clear();
  if (!may_post) return;
  const OutboundSession& session = sessions_.at(handoff.session);
  if (!session.open() || session.broken()) return;
  batch_of_ = handoff.start.handoff;
  const PiecePlan& plan = session.plan();
  std::uint32_t bytes = 0;
  while (batch_.size() < frames_max &&
         handoff.sender.NextPiece(static_cast<std::uint32_t>(batch_.size()), now, next)) {
    FrameWrite frame;
    frame.header.bytes = plan.BytesOf(next.piece);
    bytes += frame.header.bytes;
    const bool fits =
        bytes == frame.header.bytes ? session.WindowAllows(bytes) : session.WindowHolds(bytes);
    if (!fits) break;
    frame.header.session = session.id();
    frame.header.lease = handoff.sender.lease();
    frame.header.sequence =
        static_cast<std::uint32_t>(session.pipe().frames_posted() + batch_.size());
    frame.header.page = next.page;
    frame.header.piece = next.piece;
    frame.header.pieces = plan.pieces();
    frame.source = arena_.Page(handoff.start.pages[next.page]).data() + plan.OffsetOf(next.piece);
    frame.header.crc32c = Crc32c(frame.source, frame.header.bytes);
    batch_.push_back(frame);
  }
}

}  // namespace baton
