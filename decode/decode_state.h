// The inside of a DecodeWorker. decode_jobs.cc: what routers say and hear; decode_admission.cc: who
// gets pages; decode_handoffs.cc: what the transfer side says; decode_steps.cc: the batch;
// decode_reports.cc: tokens, load, counts.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "decode/decode_scheduler.h"
#include "decode/decode_worker.h"
#include "decode/page_budget.h"
#include "decode/sequence.h"
#include "engine/step_runner.h"
#include "kvcache/page_pool.h"
#include "kvcache/prefix_index.h"
#include "proto/job_book.h"
#include "proto/worker_outbox.h"

namespace baton {

class DecodeWorker::State {
 public:
  State(link::Register facts, KvArena& arena, Executor& executor, const DecodeOptions& options);

  // decode_jobs.cc
  void OnLinkLost(LinkId link);
  void OnMessage(LinkId link, const link::RouterMessage& message, Instant now);
  void StartDrain();
  void ExpireJobs(Instant now);
  void Reap();
  Instant NextDeadline() const;

  // decode_reports.cc
  void FlushTokens();
  Instant Publish(Instant now);
  PageLedger Ledger() const;
  DecodeStats Stats() const;

  // decode_admission.cc
  void Admit(Instant now);

  // decode_handoffs.cc
  void OnTransfer(const InboundEvent& event, Instant now);

  // decode_steps.cc
  void Collect(Instant now);
  void LaunchStep(Instant now);

  WorkerOutbox outbox;
  std::vector<InboundCommand> commands;
  std::vector<DecodeHandoff> handoffs;
  std::vector<DecodeStep> steps;
  absl::Status status;
  bool drained() const { return draining_ && sequences_.empty(); }

 private:
  // decode_jobs.cc
  void Accept(LinkId link, const link::DecodeJob& message, Instant now);
  std::optional<link::JobFailed> Refusal(const link::DecodeJob& message,
                                         const absl::StatusOr<Job>& job) const;
  void End(Sequence& sequence, HandoffReason reason);
  void Fail(Sequence& sequence, const link::JobFailed& failure);
  void OnCancel(const link::Cancel& cancel);
  void OnVerdict(LinkId link, Incarnation incarnation);

  // decode_reports.cc
  void SayAccepted(const Sequence& sequence, int cached_tokens);
  void SayToken(const Sequence& sequence, const TokenOutput& output, FinishReason finish);
  void NoteHandoff(Sequence& sequence, Duration admit);
  std::uint64_t QueueTokens() const;

  // decode_admission.cc
  bool TryAdmit(Sequence& sequence, Instant now);
  std::uint32_t GrowthPages(const Sequence& sequence) const;
  bool Grow(Sequence& sequence);

  // decode_handoffs.cc
  void OnOffer(const OfferArrived& offer, Instant now);
  void OnCommitted(const InboundCommitted& committed);
  void OnLeaseClosed(const LeaseClosed& closed, Instant now);
  void OnFailed(const InboundFailed& failed);
  Sequence* Find(const AttemptId& id);

  // decode_steps.cc
  void Finish(const CollectedStep& collected);
  void NewToken(Sequence& sequence, const TokenOutput& output, bool told);
  void GrowAll();
  Sequence& LastOutgrown();
  void GiveBack(Sequence& sequence);
  Step StepOf(const std::vector<DecodeRun>& runs, Instant now);
  void Stop(absl::Status error);

  Sequence* Find(SequenceId sequence);

  const link::Register facts_;
  const DecodeOptions options_;
  KvArena& arena_;
  PrefixIndex index_;
  PagePool pool_;  // before the sequences: their leases end first
  PageBudget budget_;
  StepRunner runner_;
  JobBook book_;
  std::map<SequenceId, Sequence> sequences_;   // in order of arrival
  std::map<AttemptId, SequenceId> attempts_;   // of every sequence in the table
  std::vector<SequenceId> admitted_;           // running, in order of admission
  std::map<LinkId, link::StepTokens> tokens_;  // to be told at the end of this Tick
  std::uint64_t last_sequence_ = 0;
  bool draining_ = false;
  DecodeStats counts_;
};

}  // namespace baton
