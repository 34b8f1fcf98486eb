#include "prefill/prefill_worker.h"

#include <algorithm>
#include <utility>

#include "prefill/prefill_state.h"

namespace baton {

PrefillWorker::PrefillWorker(link::Register facts, KvArena& arena, Executor& executor,
                             PrefillOptions options)
    : state_(std::make_unique<State>(std::move(facts), arena, executor, options)) {}

PrefillWorker::~PrefillWorker() = default;

void PrefillWorker::OnLinkUp(LinkId link, Instant) { state_->outbox.OnLinkUp(link); }

void PrefillWorker::OnLinkLost(LinkId link, Instant) { state_->OnLinkLost(link); }

void PrefillWorker::OnMessage(LinkId link, const link::RouterMessage& message, Instant now) {
  state_->OnMessage(link, message, now);
}

void PrefillWorker::OnTransfer(const OutboundEvent& event, Instant now) {
  state_->OnTransfer(event, now);
}

Instant PrefillWorker::Tick(Instant now) {
  state_->LaunchPlanned(now);
  state_->Collect(now);
  state_->ExpireJobs(now);
  state_->Reap();  // before anything is admitted: a full pool must not keep itself full
  state_->PlanStep(now);
  const Instant load_due = state_->Publish(now);
  if (state_->HasPlanned()) return now;
  return std::min(load_due, state_->NextDeadline());
}

std::vector<WorkerOutput> PrefillWorker::TakeLinkMessages() { return state_->outbox.Take(); }

std::vector<OutboundCommand> PrefillWorker::TakeTransferCommands() {
  return std::exchange(state_->commands, {});
}

std::vector<PrefillHandoff> PrefillWorker::TakeHandoffs() {
  return std::exchange(state_->handoffs, {});
}

std::vector<FinishedStep> PrefillWorker::TakeSteps() { return std::exchange(state_->steps, {}); }

void PrefillWorker::StartDrain(Instant) { state_->StartDrain(); }

bool PrefillWorker::drained() const { return state_->drained(); }

const absl::Status& PrefillWorker::status() const { return state_->status; }

PrefillStats PrefillWorker::stats() const { return state_->Stats(); }

PageLedger PrefillWorker::ledger() const { return state_->Ledger(); }

}  // namespace baton
