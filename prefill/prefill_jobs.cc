// What routers say to a prefill worker, and what they hear of their jobs.
#include <algorithm>
#include <utility>

#include "kvcache/cache_messages.h"
#include "prefill/prefill_state.h"
#include "proto/convert.h"

namespace baton {
namespace {

// How long other routers count on the pages of a prompt beyond its forecast end, and at most.
constexpr double kExpectedSpareSeconds = 2;
constexpr double kExpectedSecondsMax = 60;

// A waiting job that finds the bound reached: the router's next best worker, or this one later.
constexpr std::uint32_t kRetryAfterMs = 100;

DecodePeer PeerOf(const link::Peer& peer) {
  DecodePeer decode{.worker_id = peer.worker_id(),
                    .incarnation = Incarnation{peer.incarnation()},
                    .transfer_address = peer.transfer_address(),
                    .introduction = {}};
  std::copy_n(peer.introduction().begin(),
              std::min(peer.introduction().size(), decode.introduction.size()),
              decode.introduction.begin());
  return decode;
}

PrefillScheduler::Options SchedulerOptions(const PrefillOptions& options, int page_tokens) {
  return {.step_tokens_max = std::max(options.step_tokens_max, page_tokens),
          .sequences_max = options.sequences_max,
          .page_tokens = page_tokens};
}

}  // namespace

PrefillWorker::State::State(link::Register facts, KvArena& arena, Executor& executor,
                            const PrefillOptions& options)
    : outbox(facts, options.load_report),
      facts_(std::move(facts)),
      options_(options),
      arena_(arena),
      index_(facts_.pages()),
      pool_(facts_.pages(), index_, {.cached_pages_max = options.cached_pages_max}),
      scheduler_(SchedulerOptions(options, static_cast<int>(facts_.page_tokens()))),
      runner_(executor, executor.max_in_flight(), options.step_prior) {}

void PrefillWorker::State::OnMessage(LinkId link, const link::RouterMessage& message, Instant now) {
  if (!outbox.IsUp(link)) return;
  switch (message.kind_case()) {
    case link::RouterMessage::kWelcome:
      return outbox.OnWelcome(link, Milliseconds(message.welcome().heartbeat_ms()));
    case link::RouterMessage::kPrefill:
      outbox.OnJob(link);
      return Accept(link, message.prefill(), now);
    case link::RouterMessage::kCancel:
      return OnCancel(message.cancel());
    case link::RouterMessage::kVerdict:
      return OnVerdict(link, Incarnation{message.verdict().incarnation()});
    case link::RouterMessage::kResync:
      return outbox.OnResync(link);
    default:
      return;  // Refused ends the link by itself; a decode job is not for us
  }
}

std::optional<link::JobFailed> PrefillWorker::State::Refusal(const link::PrefillJob& message,
                                                             const absl::StatusOr<Job>& job) const {
  if (!status.ok())
    return MakeFailure(link::FAIL_INTERNAL, true, "the device of this worker is lost");
  if (draining_) return MakeFailure(link::FAIL_DRAINING, true, "this worker is leaving");
  if (!job.ok()) {
    return MakeFailure(link::FAIL_INTERNAL, false, job.status().message());
  }
  if (message.decode().incarnation() == 0 || message.decode().introduction().size() != 16) {
    return MakeFailure(link::FAIL_INTERNAL, false, "the job names no decode worker");
  }
  const int pages = arena_.layout().PagesFor(static_cast<int>(job->tokens.size()));
  if (static_cast<std::uint32_t>(pages) > pool_.num_pages()) {
    return MakeFailure(link::FAIL_NO_ROOM, false,
                       "the prompt is larger than this worker's page pool");
  }
  if (prompts_.size() >= static_cast<std::size_t>(options_.jobs_max)) {
    link::JobFailed full = MakeFailure(link::FAIL_QUEUE_FULL, true, "this worker's queue is full");
    full.set_retry_after_ms(kRetryAfterMs);
    return full;
  }
  return std::nullopt;
}

void PrefillWorker::State::Accept(LinkId link, const link::PrefillJob& message, Instant now) {
  const RequestId request = FromProto(message.sequence().request());
  const std::uint32_t attempt = message.sequence().attempt();
  if (!book_.IsNew(request, attempt)) return;
  if (const auto older = book_.Live(request, 0)) End(*Find(*older), HandoffReason::kStale);

  absl::StatusOr<Job> job = ParseJob(message.sequence(), facts_.model(), now);
  if (std::optional<link::JobFailed> refusal = Refusal(message, job)) {
    ++(job.ok() ? counts_.jobs_refused : counts_.prompt_errors);
    *refusal->mutable_request() = message.sequence().request();
    refusal->set_attempt(attempt);
    link::WorkerMessage answer;
    *answer.mutable_failed() = *std::move(refusal);
    return outbox.Send(link, std::move(answer));
  }
  const SequenceId sequence{++last_sequence_};
  const PageKey root = RootKey(facts_.key_namespace(), job->cache_salt);
  const int page_tokens = static_cast<int>(facts_.page_tokens());
  const PageKey prompt_key = PromptKeyOf(root, job->tokens, page_tokens);
  scheduler_.Add(sequence, static_cast<int>(job->tokens.size()));
  book_.Begin(request, attempt, sequence);
  prompts_.emplace(sequence, Prompt{.sequence = sequence,
                                    .link = link,
                                    .job = *std::move(job),
                                    .peer = PeerOf(message.decode()),
                                    .prompt_key = prompt_key,
                                    .table = BlockTable(root, page_tokens),
                                    .accepted = now});
  if (outbox.num_links() > 1) SayExpected(prompts_.at(sequence), root);
}

// Routers share nothing: what one sent here, the others hear from us, so that siblings that come to
// them find their way.
void PrefillWorker::State::SayExpected(const Prompt& prompt, const PageKey& root) {
  link::Expected expected;
  const int page_tokens = static_cast<int>(facts_.page_tokens());
  for (const PageKey& key : PageKeysOf(root, prompt.job.tokens, page_tokens)) {
    expected.add_keys(key.low);
  }
  StepShape backlog;
  backlog.tokens = static_cast<double>(QueueTokens());
  const double seconds = runner_.time().Seconds(backlog) + kExpectedSpareSeconds;
  expected.set_within_ms(static_cast<std::uint32_t>(1e3 * std::min(kExpectedSecondsMax, seconds)));
  outbox.SendExpected(prompt.link, expected);
}

Prompt* PrefillWorker::State::Find(SequenceId sequence) {
  const auto found = prompts_.find(sequence);
  return found == prompts_.end() ? nullptr : &found->second;
}

void PrefillWorker::State::End(Prompt& prompt, HandoffReason reason) {
  if (prompt.state == PromptState::kOver) return;
  prompt.state = PromptState::kOver;
  book_.End(prompt.job.request, prompt.sequence);
  scheduler_.Remove(prompt.sequence);
  if (prompt.lent) commands.push_back(CancelOutbound{prompt.handoff(), reason});
}

void PrefillWorker::State::Fail(Prompt& prompt, link::FailReason reason, bool retryable,
                                const std::string& why) {
  if (prompt.state == PromptState::kOver) return;
  End(prompt, reason == link::FAIL_DEADLINE ? HandoffReason::kDeadline : HandoffReason::kCancelled);
  link::WorkerMessage message;
  link::JobFailed& failed = *message.mutable_failed();
  failed = MakeFailure(reason, retryable, why);
  ToProto(prompt.job.request, failed.mutable_request());
  failed.set_attempt(prompt.job.attempt);
  outbox.Send(prompt.link, std::move(message));
}

void PrefillWorker::State::OnCancel(const link::Cancel& cancel) {
  const auto live = book_.Live(FromProto(cancel.request()), cancel.attempt());
  if (!live.has_value()) return;
  ++counts_.jobs_cancelled;
  End(*Find(*live), HandoffReason::kCancelled);
}

void PrefillWorker::State::OnVerdict(LinkId link, Incarnation incarnation) {
  const auto concerned = [&](const Prompt& prompt) {
    return prompt.link == link && prompt.peer.incarnation == incarnation;
  };
  OutboundVerdict verdict{.incarnation = incarnation, .ids = {}};
  for (const auto& [sequence, prompt] : prompts_) {
    if (concerned(prompt) && prompt.lent) verdict.ids.push_back(prompt.handoff());
  }
  if (!verdict.ids.empty()) commands.push_back(std::move(verdict));
  for (auto& [sequence, prompt] : prompts_) {
    if (!concerned(prompt)) continue;
    Fail(prompt, link::FAIL_PEER_LOST, true, "the decode worker is gone");
  }
}

void PrefillWorker::State::OnLinkLost(LinkId link) {
  outbox.OnLinkLost(link);
  for (auto& [sequence, prompt] : prompts_) {
    if (prompt.link == link) End(prompt, HandoffReason::kCancelled);
  }
}

void PrefillWorker::State::StartDrain() {
  if (std::exchange(draining_, true)) return;
  for (auto& [sequence, prompt] : prompts_) {
    if (prompt.state != PromptState::kWaiting) continue;
    Fail(prompt, link::FAIL_DRAINING, true, "this worker is leaving");
  }
  commands.push_back(DrainOutbound{});
}

void PrefillWorker::State::ExpireJobs(Instant now) {
  for (auto& [sequence, prompt] : prompts_) {
    if (prompt.job.deadline > now) continue;
    Fail(prompt, link::FAIL_DEADLINE, false, "the deadline passed at the prefill worker");
  }
}

void PrefillWorker::State::Reap() {
  std::erase_if(prompts_, [](const auto& entry) {
    const Prompt& prompt = entry.second;
    return prompt.state == PromptState::kOver && prompt.chunks_in_flight == 0 && !prompt.lent;
  });
}

Instant PrefillWorker::State::NextDeadline() const {
  Instant next = kNever;
  for (const auto& [sequence, prompt] : prompts_) {
    if (prompt.state != PromptState::kOver) next = std::min(next, prompt.job.deadline);
  }
  return next;
}

std::uint64_t PrefillWorker::State::QueueTokens() const {
  std::uint64_t tokens = 0;
  for (const auto& [sequence, prompt] : prompts_) {
    if (prompt.state == PromptState::kOver) continue;
    tokens += static_cast<std::uint64_t>(prompt.length() - prompt.computed);
  }
  return tokens;
}

Instant PrefillWorker::State::Publish(Instant now) {
  PublishCacheEvents(index_, outbox);
  link::Load load;
  load.set_queue_requests(static_cast<std::uint32_t>(scheduler_.num_waiting()));
  load.set_queue_tokens(QueueTokens());
  load.set_running_sequences(static_cast<std::uint32_t>(scheduler_.num_begun()));
  load.set_free_pages(pool_.num_free());
  load.set_draining(draining_);
  const StepCost& cost = runner_.time().cost();
  load.set_step_seconds_fixed(cost.fixed);
  load.set_step_seconds_per_token(cost.per_token);
  load.set_step_seconds_per_pair(cost.per_pair);
  load.set_step_seconds_per_sequence(cost.per_sequence);
  load.set_step_residual_ratio(runner_.time().residual_ratio());
  return outbox.StateLoad(std::move(load), now);
}

PageLedger PrefillWorker::State::Ledger() const {
  LedgerCount count(pool_);
  for (const auto& [sequence, prompt] : prompts_) count.AddOwned(prompt.table.pages());
  return count.ledger();
}

PrefillStats PrefillWorker::State::Stats() const {
  PrefillStats stats = counts_;
  stats.queue_requests = scheduler_.num_waiting();
  stats.queue_tokens = QueueTokens();
  stats.running = scheduler_.num_begun();
  stats.handing_over = static_cast<std::uint64_t>(std::count_if(
      prompts_.begin(), prompts_.end(),
      [](const auto& entry) { return entry.second.state == PromptState::kComputed; }));
  return stats;
}

}  // namespace baton
