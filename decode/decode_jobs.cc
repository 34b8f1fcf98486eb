// What routers say to a decode worker, and what they hear of their jobs.
#include <algorithm>
#include <utility>

#include "decode/decode_state.h"
#include "kvcache/cache_messages.h"
#include "proto/convert.h"

namespace baton {
namespace {

constexpr std::uint32_t kRetryAfterMs = 100;

// A full batch must leave a page's worth of tokens in the step, or local prompts would starve.
DecodeOptions WithinTheStep(DecodeOptions options, int page_tokens) {
  options.step_tokens_max = std::max(options.step_tokens_max, page_tokens);
  options.sequences_max =
      std::clamp(options.sequences_max, 1, std::max(1, options.step_tokens_max - page_tokens));
  return options;
}

std::uint32_t Share(double fraction, std::uint32_t pages) {
  return static_cast<std::uint32_t>(std::clamp(fraction, 0.0, 1.0) * pages);
}

bool TakesPart(SequenceState state) {
  return state == SequenceState::kExpected || state == SequenceState::kOffered ||
         state == SequenceState::kGranted;
}

}  // namespace

DecodeWorker::State::State(link::Register facts, KvArena& arena, Executor& executor,
                           const DecodeOptions& options)
    : outbox(facts, options.load_report),
      facts_(std::move(facts)),
      options_(WithinTheStep(options, static_cast<int>(facts_.page_tokens()))),
      arena_(arena),
      index_(facts_.pages()),
      pool_(facts_.pages(), index_, {.cached_pages_max = options.cached_pages_max}),
      budget_(pool_, {.watermark_pages = Share(options.growth_watermark, facts_.pages()),
                      .inbound_pages_max = Share(options.promised_fraction_max, facts_.pages())}),
      runner_(executor, 1, options.step_prior) {}

void DecodeWorker::State::OnMessage(LinkId link, const link::RouterMessage& message, Instant now) {
  if (!outbox.IsUp(link)) return;
  switch (message.kind_case()) {
    case link::RouterMessage::kWelcome:
      return outbox.OnWelcome(link, Milliseconds(message.welcome().heartbeat_ms()));
    case link::RouterMessage::kDecode:
      return Accept(link, message.decode(), now);
    case link::RouterMessage::kCancel:
      return OnCancel(message.cancel());
    case link::RouterMessage::kVerdict:
      return OnVerdict(link, Incarnation{message.verdict().incarnation()});
    case link::RouterMessage::kResync:
      return outbox.OnResync(link);
    default:
      return;  // Refused ends the link by itself; a prefill job is not for us
  }
}

std::optional<link::JobFailed> DecodeWorker::State::Refusal(const link::DecodeJob& message,
                                                            const absl::StatusOr<Job>& job) const {
  if (!status.ok())
    return MakeFailure(link::FAIL_INTERNAL, true, "the device of this worker is lost");
  if (draining_) return MakeFailure(link::FAIL_DRAINING, true, "this worker is leaving");
  if (!job.ok()) {
    return MakeFailure(link::FAIL_INTERNAL, false, job.status().message());
  }
  if (message.has_prefill() &&
      (message.prefill().incarnation() == 0 || message.prefill().introduction().size() != 16)) {
    return MakeFailure(link::FAIL_INTERNAL, false, "the job names no lawful prefill worker");
  }
  const int pages = arena_.layout().PagesFor(job->length_max() - 1);
  if (static_cast<std::uint32_t>(pages) > pool_.num_pages()) {
    return MakeFailure(link::FAIL_NO_ROOM, false,
                       "prompt and answer are larger than this worker's page pool");
  }
  if (sequences_.size() >= static_cast<std::size_t>(options_.jobs_max)) {
    link::JobFailed full = MakeFailure(link::FAIL_QUEUE_FULL, true, "this worker's queue is full");
    full.set_retry_after_ms(kRetryAfterMs);
    return full;
  }
  return std::nullopt;
}

void DecodeWorker::State::Accept(LinkId link, const link::DecodeJob& message, Instant now) {
  const RequestId request = FromProto(message.sequence().request());
  const std::uint32_t attempt = message.sequence().attempt();
  if (!book_.IsNew(request, attempt) || attempts_.contains({request, attempt})) return;
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
  const SequenceId id{++last_sequence_};
  const PageKey root = RootKey(facts_.key_namespace(), job->cache_salt);
  const int page_tokens = static_cast<int>(facts_.page_tokens());
  const int length = static_cast<int>(job->tokens.size());
  Sequence sequence{.id = id,
                    .link = link,
                    .job = *std::move(job),
                    .table = BlockTable(root, page_tokens),
                    .state = SequenceState::kWaiting,
                    .prompt_end = length};
  if (message.has_prefill()) {
    ExpectInbound expect{.id = sequence.attempt(),
                         .prefill = Incarnation{message.prefill().incarnation()},
                         .introduction = {},
                         .prompt_tokens = static_cast<std::uint32_t>(length),
                         .prompt_key = PromptKeyOf(root, sequence.job.tokens, page_tokens)};
    const std::string& introduction = message.prefill().introduction();
    std::copy_n(introduction.begin(), expect.introduction.size(), expect.introduction.begin());
    sequence.state = SequenceState::kExpected;
    sequence.prefill = expect.prefill;
    commands.push_back(std::move(expect));
  }
  book_.Begin(request, attempt, id);
  attempts_.emplace(sequence.attempt(), id);
  sequences_.emplace(id, std::move(sequence));
}

Sequence* DecodeWorker::State::Find(SequenceId sequence) {
  const auto found = sequences_.find(sequence);
  return found == sequences_.end() ? nullptr : &found->second;
}

void DecodeWorker::State::End(Sequence& sequence, HandoffReason reason) {
  if (sequence.state == SequenceState::kOver) return;
  if (TakesPart(sequence.state)) commands.push_back(CloseInbound{sequence.attempt(), reason});
  sequence.state = SequenceState::kOver;
  book_.End(sequence.job.request, sequence.id);
  budget_.Redeem(std::exchange(sequence.promised, 0));
  std::erase(admitted_, sequence.id);
  NoteHandoff(sequence, Duration::zero());
}

void DecodeWorker::State::Fail(Sequence& sequence, const link::JobFailed& failure) {
  if (sequence.state == SequenceState::kOver) return;
  End(sequence, failure.reason() == link::FAIL_DEADLINE ? HandoffReason::kDeadline
                                                        : HandoffReason::kCancelled);
  link::WorkerMessage message;
  link::JobFailed& failed = *message.mutable_failed();
  failed = failure;
  ToProto(sequence.job.request, failed.mutable_request());
  failed.set_attempt(sequence.job.attempt);
  outbox.Send(sequence.link, std::move(message));
}

void DecodeWorker::State::OnCancel(const link::Cancel& cancel) {
  const auto live = book_.Live(FromProto(cancel.request()), cancel.attempt());
  if (!live.has_value()) return;
  ++counts_.jobs_cancelled;
  End(*Find(*live), HandoffReason::kCancelled);
}

void DecodeWorker::State::OnVerdict(LinkId link, Incarnation incarnation) {
  const auto concerned = [&](const Sequence& sequence) {
    return sequence.link == link && sequence.prefill == incarnation && TakesPart(sequence.state);
  };
  InboundVerdict verdict{.incarnation = incarnation, .ids = {}};
  for (const auto& [id, sequence] : sequences_) {
    if (concerned(sequence)) verdict.ids.push_back(sequence.attempt());
  }
  if (!verdict.ids.empty()) commands.push_back(std::move(verdict));
  for (auto& [id, sequence] : sequences_) {
    if (!concerned(sequence)) continue;
    Fail(sequence, MakeFailure(link::FAIL_PEER_LOST, true, "the prefill worker is gone"));
  }
}

void DecodeWorker::State::OnLinkLost(LinkId link) {
  outbox.OnLinkLost(link);
  tokens_.erase(link);
  for (auto& [id, sequence] : sequences_) {
    if (sequence.link == link) End(sequence, HandoffReason::kCancelled);
  }
}

void DecodeWorker::State::StartDrain() {
  if (std::exchange(draining_, true)) return;
  for (auto& [id, sequence] : sequences_) {
    if (sequence.state != SequenceState::kWaiting) continue;
    Fail(sequence, MakeFailure(link::FAIL_DRAINING, true, "this worker is leaving"));
  }
  commands.push_back(DrainInbound{});
}

void DecodeWorker::State::ExpireJobs(Instant now) {
  for (auto& [id, sequence] : sequences_) {
    if (sequence.job.deadline > now) continue;
    Fail(sequence,
         MakeFailure(link::FAIL_DEADLINE, false, "the deadline passed at the decode worker"));
  }
}

void DecodeWorker::State::Reap() {
  std::erase_if(sequences_, [this](const auto& entry) {
    const Sequence& sequence = entry.second;
    const bool quiet = !sequence.in_flight() && !sequence.inbound.has_value();
    if (sequence.state != SequenceState::kOver || !quiet) return false;
    attempts_.erase(sequence.attempt());
    return true;
  });
}

Instant DecodeWorker::State::NextDeadline() const {
  Instant next = kNever;
  for (const auto& [id, sequence] : sequences_) {
    if (sequence.state == SequenceState::kOver) continue;
    next = std::min(next, sequence.job.deadline);
    if (sequence.state == SequenceState::kOffered) {
      next = std::min(next, sequence.offered + options_.offer_wait);
    }
  }
  return next;
}

}  // namespace baton
