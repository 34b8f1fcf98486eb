#include "decode/decode_worker.h"

#include <algorithm>
#include <utility>

#include "decode/decode_state.h"

namespace baton {

DecodeWorker::DecodeWorker(link::Register facts, KvArena& arena, Executor& executor,
                           DecodeOptions options)
    : state_(std::make_unique<State>(std::move(facts), arena, executor, options)) {}

DecodeWorker::~DecodeWorker() = default;

void DecodeWorker::OnLinkUp(LinkId link, Instant) { state_->outbox.OnLinkUp(link); }

void DecodeWorker::OnLinkLost(LinkId link, Instant) { state_->OnLinkLost(link); }

void DecodeWorker::OnMessage(LinkId link, const link::RouterMessage& message, Instant now) {
  state_->OnMessage(link, message, now);
}

void DecodeWorker::OnTransfer(const InboundEvent& event, Instant now) {
  state_->OnTransfer(event, now);
}

Instant DecodeWorker::Tick(Instant now) {
  state_->Collect(now);
  state_->ExpireJobs(now);
  state_->Reap();  // before anything is admitted: a full pool must not keep itself full
  state_->Admit(now);
  state_->LaunchStep(now);
  state_->FlushTokens();
  return std::min(state_->Publish(now), state_->NextDeadline());
}

std::vector<WorkerOutput> DecodeWorker::TakeLinkMessages() { return state_->outbox.Take(); }

std::vector<InboundCommand> DecodeWorker::TakeTransferCommands() {
  return std::exchange(state_->commands, {});
}

std::vector<DecodeHandoff> DecodeWorker::TakeHandoffs() {
  return std::exchange(state_->handoffs, {});
}

std::vector<DecodeStep> DecodeWorker::TakeSteps() { return std::exchange(state_->steps, {}); }

void DecodeWorker::StartDrain(Instant) { state_->StartDrain(); }

bool DecodeWorker::drained() const { return state_->drained(); }

const absl::Status& DecodeWorker::status() const { return state_->status; }

DecodeStats DecodeWorker::stats() const { return state_->Stats(); }

PageLedger DecodeWorker::ledger() const { return state_->Ledger(); }

}  // namespace baton
