// What the prefill engine has computed, as the sending machines hear it: whole pages, and in a
// prompt's last chunk groups of layers, so that only the last group's bytes are left when the
// prompt is done.
#include <algorithm>

#include "kvtransfer/outbound_core.h"

namespace baton {

void OutboundTransfers::Impl::Handle(const OutboundStep& command, Instant now) {
  PagesComplete(steps_.On(command, now), now);
}

void OutboundTransfers::Impl::Handle(const OutboundLayer& command, Instant now) {
  PagesComplete(steps_.On(command, now), now);
  const std::uint32_t layers = command.layer + 1;
  if (!limits_.overlap || layers % limits_.layer_group != 0) return;
  LayersComplete(steps_.LastChunksOf(command.step), layers, now);
}

void OutboundTransfers::Impl::PagesComplete(const std::vector<StepSpan>& spans, Instant now) {
  for (const StepSpan& span : spans) {
    const auto found = handoffs_.find(span.handoff);
    if (found == handoffs_.end()) continue;
    if (!span.last_chunk && !limits_.overlap) continue;  // it waits for the whole prompt
    if (span.last_chunk) {
      found->second.computed_at = now;
      found->second.closing = true;
    }
    Give(found->second, HandoffSender::PagesReady{span.end_page}, now);
  }
}

void OutboundTransfers::Impl::LayersComplete(const std::vector<StepSpan>& spans,
                                             std::uint32_t layers, Instant now) {
  const std::uint64_t bytes = std::uint64_t{layers} * arena_.layout().LayerBytes();
  for (const StepSpan& span : spans) {
    const auto found = handoffs_.find(span.handoff);
    if (found == handoffs_.end() || !WorthSplitting(found->second, span.first_page)) continue;
    found->second.closing = true;
    Give(found->second, HandoffSender::FrontsReady{span.first_page, bytes}, now);
  }
}

bool OutboundTransfers::Impl::WorthSplitting(const Outbound& handoff,
                                             std::uint32_t first_page) const {
  const std::uint64_t tokens_before =
      std::uint64_t{first_page} * static_cast<std::uint32_t>(arena_.layout().tokens_per_page);
  if (handoff.start.prompt_tokens < tokens_before + limits_.overlap_tokens_min) return false;
  const auto session = sessions_.find(handoff.session);
  if (session == sessions_.end() || !session->second.open()) return false;
  const std::uint64_t wanted_from = std::max(first_page, handoff.sender.first_page());
  const std::uint64_t pages = handoff.start.pages.size() - wanted_from;
  const std::optional<Duration> wire =
      session->second.WireTime(pages * arena_.layout().PageBytes());
  return !wire.has_value() || *wire >= limits_.overlap_wire_min;
}

}  // namespace baton
