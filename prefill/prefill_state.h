// The inside of a PrefillWorker. prefill_jobs.cc: what routers say and hear; prefill_steps.cc: from
// waiting prompts to steps and back; prefill_handoffs.cc: what the transfer side says.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/step_runner.h"
#include "kvcache/page_pool.h"
#include "kvcache/prefix_index.h"
#include "prefill/prefill_scheduler.h"
#include "prefill/prefill_worker.h"
#include "prefill/prompt.h"
#include "proto/job_book.h"
#include "proto/worker_outbox.h"

namespace baton {

class PrefillWorker::State {
 public:
  State(link::Register facts, KvArena& arena, Executor& executor, const PrefillOptions& options);

  // prefill_jobs.cc
  void OnLinkLost(LinkId link);
  void StartDrain();
  void OnMessage(LinkId link, const link::RouterMessage& message, Instant now);
  void ExpireJobs(Instant now);
  void Reap();
  Instant Publish(Instant now);
  Instant NextDeadline() const;
  PageLedger Ledger() const;
  PrefillStats Stats() const;

  // prefill_steps.cc
  void LaunchPlanned(Instant now);
  void Collect(Instant now);
  void PlanStep(Instant now);
  bool HasPlanned() const { return planned_.has_value(); }

  // prefill_handoffs.cc
  void OnTransfer(const OutboundEvent& event, Instant now);

  WorkerOutbox outbox;
  std::vector<OutboundCommand> commands;
  std::vector<PrefillHandoff> handoffs;
  std::vector<FinishedStep> steps;
  absl::Status status;
  bool drained() const { return draining_ && prompts_.empty(); }

 private:
  // prefill_jobs.cc
  void Accept(LinkId link, const link::PrefillJob& message, Instant now);
  std::optional<link::JobFailed> Refusal(const link::PrefillJob& message,
                                         const absl::StatusOr<Job>& job) const;
  void SayExpected(const Prompt& prompt, const PageKey& root);
  void End(Prompt& prompt, HandoffReason reason);
  void OnCancel(const link::Cancel& cancel);
  void Fail(Prompt& prompt, link::FailReason reason, bool retryable, const std::string& why);
  void OnVerdict(LinkId link, Incarnation incarnation);
  std::uint64_t QueueTokens() const;

  // prefill_steps.cc
  bool Begin(Prompt& prompt, Instant now);
  Step StepOf(const std::vector<PromptChunk>& chunks);
  void Finish(const CollectedStep& collected, Instant now);
  void FirstToken(Prompt& prompt, const TokenOutput& output,
                  std::map<LinkId, link::StepTokens>& tokens);
  void Stop(absl::Status error);

  // prefill_handoffs.cc
  void OnEnded(const OutboundEnded& ended);

  Prompt* Find(SequenceId sequence);

  const link::Register facts_;
  const PrefillOptions options_;
  KvArena& arena_;
  PrefixIndex index_;
  PagePool pool_;  // before the prompts: their leases end first
  PrefillScheduler scheduler_;
  StepRunner runner_;
  JobBook book_;
  std::map<SequenceId, Prompt> prompts_;  // in order of arrival
  std::optional<Step> planned_;           // told to the transfer side, launched by the next round
  std::uint64_t last_sequence_ = 0;
  bool draining_ = false;
  PrefillStats counts_;
};

}  // namespace baton
