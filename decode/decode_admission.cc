// Who gets pages on a decode worker, and when: offers and local prompts in order of arrival, each
// only if it can be finished.
#include <algorithm>
#include <utility>

#include "decode/decode_state.h"

namespace baton {
namespace {

constexpr std::uint32_t kNoRoomRetryMs = 100;

}  // namespace

std::uint32_t DecodeWorker::State::GrowthPages(const Sequence& sequence) const {
  // The last token of an answer is never fed back, so it needs no row.
  const int end =
      std::min(sequence.job.length_max() - 1, sequence.known() + options_.growth_tokens);
  const KvLayout& layout = arena_.layout();
  return static_cast<std::uint32_t>(
      std::max(0, layout.PagesFor(end) - layout.PagesFor(sequence.known())));
}

void DecodeWorker::State::Admit(Instant now) {
  bool room = status.ok();
  for (auto& [id, sequence] : sequences_) {
    const bool offered = sequence.state == SequenceState::kOffered;
    if (!offered && sequence.state != SequenceState::kWaiting) continue;
    // First come, first served: who waits is not overtaken by smaller ones for ever.
    room = room && TryAdmit(sequence, now);
    if (room || !offered || now < sequence.offered + options_.offer_wait) continue;
    commands.push_back(RefuseInbound{.id = sequence.attempt(),
                                     .reason = HandoffReason::kNoRoom,
                                     .retry_after_ms = kNoRoomRetryMs});
    link::JobFailed failure =
        MakeFailure(link::FAIL_NO_ROOM, true, "the decode worker has no pages for this prompt now");
    failure.set_retry_after_ms(kNoRoomRetryMs);
    Fail(sequence, failure);
  }
}

bool DecodeWorker::State::TryAdmit(Sequence& sequence, Instant now) {
  std::size_t live = 0;
  for (const auto& [id, other] : sequences_) {
    live += other.state == SequenceState::kGranted || other.state == SequenceState::kRunning;
  }
  if (live >= static_cast<std::size_t>(options_.sequences_max)) return false;

  const bool local = !sequence.prefill.has_value();
  const int length = sequence.known();
  // A hand-off brings the first token along, and the prefill worker tells what it computed.
  PageLease cached = sequence.table.Match(sequence.job.tokens,
                                          local ? sequence.job.CachedMax() : length, index_, pool_);
  const std::uint32_t first_page = cached.size();
  const auto pages = static_cast<std::uint32_t>(arena_.layout().PagesFor(length)) - first_page;
  const std::uint32_t growth = GrowthPages(sequence);
  if (!budget_.Fits(pages, growth) || (!local && !budget_.MayLend(pages))) return false;
  absl::StatusOr<PageLease> fresh = pool_.Acquire(pages);
  if (!fresh.ok()) return false;

  sequence.promised = growth;
  budget_.Promise(growth);
  sequence.first_page = first_page;
  sequence.computed = static_cast<int>(first_page) * arena_.layout().tokens_per_page;
  sequence.computed_until = sequence.computed;
  sequence.table.Append(std::move(cached));
  SayAccepted(sequence, sequence.computed);
  if (local) {
    sequence.table.Append(*std::move(fresh));
    sequence.state = SequenceState::kRunning;
    admitted_.push_back(sequence.id);
    counts_.prompt_tokens += static_cast<std::uint64_t>(length);
    counts_.prompt_cached_tokens += static_cast<std::uint64_t>(sequence.computed);
    return true;
  }
  // The pages stay out of the block table until the hand-off commits: nobody reads them before.
  commands.push_back(GrantInbound{.id = sequence.attempt(),
                                  .first_page = first_page,
                                  .pages = {fresh->pages().begin(), fresh->pages().end()},
                                  .final = true});
  sequence.inbound = *std::move(fresh);
  budget_.Lend(pages);
  sequence.state = SequenceState::kGranted;
  sequence.offered = now;
  return true;
}

bool DecodeWorker::State::Grow(Sequence& sequence) {
  while (sequence.table.capacity_tokens() < sequence.known()) {
    const bool promised = sequence.promised > 0;
    // Beyond its promise a sequence may take only what nobody else was promised.
    if (!promised && pool_.num_free() <= budget_.promised()) return false;
    absl::StatusOr<PageLease> page = pool_.Acquire(1);
    if (!page.ok()) return false;
    sequence.table.Append(*std::move(page));
    if (!promised) continue;
    --sequence.promised;
    budget_.Redeem(1);
  }
  return true;
}

}  // namespace baton
