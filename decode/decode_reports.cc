// What a decode worker says: acceptances, tokens, load, counts.
#include <algorithm>
#include <utility>

#include "decode/decode_state.h"
#include "kvcache/cache_messages.h"
#include "proto/convert.h"

namespace baton {

void DecodeWorker::State::SayAccepted(const Sequence& sequence, int cached_tokens) {
  link::WorkerMessage message;
  link::JobAccepted& accepted = *message.mutable_accepted();
  ToProto(sequence.job.request, accepted.mutable_request());
  accepted.set_attempt(sequence.job.attempt);
  accepted.set_cached_tokens(static_cast<std::uint32_t>(cached_tokens));
  outbox.Send(sequence.link, std::move(message));
}

void DecodeWorker::State::SayToken(const Sequence& sequence, const TokenOutput& output,
                                   FinishReason finish) {
  link::SequenceTokens& said = *tokens_[sequence.link].add_sequences();
  ToProto(sequence.job.request, said.mutable_request());
  said.set_attempt(sequence.job.attempt);
  said.set_first_index(static_cast<std::uint32_t>(sequence.job.generated()));
  said.set_finish(static_cast<std::uint32_t>(finish));
  ToProto(output, said.add_tokens());
}

void DecodeWorker::State::FlushTokens() {
  for (auto& [link, tokens] : std::exchange(tokens_, {})) {
    link::WorkerMessage message;
    *message.mutable_tokens() = std::move(tokens);
    outbox.Send(link, std::move(message));
  }
}

void DecodeWorker::State::NoteHandoff(Sequence& sequence, Duration admit) {
  if (!sequence.held.has_value()) return;
  handoffs.push_back({.id = sequence.attempt(),
                      .committed = true,
                      .reason = HandoffReason::kCommitted,
                      .held = *std::exchange(sequence.held, std::nullopt),
                      .admit = admit});
}

std::uint64_t DecodeWorker::State::QueueTokens() const {
  std::uint64_t tokens = 0;
  for (const auto& [id, sequence] : sequences_) {
    const bool local = !sequence.prefill.has_value() && sequence.state != SequenceState::kOver;
    if (local)
      tokens += static_cast<std::uint64_t>(std::max(0, sequence.prompt_end - sequence.computed));
  }
  return tokens;
}

Instant DecodeWorker::State::Publish(Instant now) {
  PublishCacheEvents(index_, outbox);
  const DecodeStats now_stats = Stats();
  link::Load load;
  load.set_queue_requests(static_cast<std::uint32_t>(now_stats.waiting));
  load.set_queue_tokens(now_stats.queue_tokens);
  load.set_running_sequences(static_cast<std::uint32_t>(admitted_.size()));
  load.set_free_pages(pool_.num_free());
  load.set_promised_pages(budget_.promised());
  load.set_draining(draining_);
  const StepCost& cost = runner_.time().cost();
  load.set_step_seconds_fixed(cost.fixed);
  load.set_step_seconds_per_token(cost.per_token);
  load.set_step_seconds_per_pair(cost.per_pair);
  load.set_step_seconds_per_sequence(cost.per_sequence);
  load.set_step_residual_ratio(runner_.time().residual_ratio());
  return outbox.StateLoad(std::move(load), now);
}

PageLedger DecodeWorker::State::Ledger() const {
  LedgerCount count(pool_);
  for (const auto& [id, sequence] : sequences_) {
    count.AddOwned(sequence.table.pages());
    if (sequence.inbound.has_value()) count.AddInbound(sequence.inbound->pages());
  }
  PageLedger ledger = count.ledger();
  ledger.promised = budget_.promised();
  return ledger;
}

DecodeStats DecodeWorker::State::Stats() const {
  DecodeStats stats = counts_;
  stats.running = admitted_.size();
  stats.waiting = static_cast<std::uint64_t>(
      std::count_if(sequences_.begin(), sequences_.end(), [](const auto& entry) {
        return entry.second.state == SequenceState::kWaiting ||
               entry.second.state == SequenceState::kOffered;
      }));
  stats.queue_tokens = QueueTokens();
  stats.promised_pages = budget_.promised();
  return stats;
}

}  // namespace baton
