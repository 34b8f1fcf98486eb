#include "router/request_flow.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "proto/convert.h"
#include "router/flow_errors.h"

namespace baton {
namespace {

constexpr Duration kBackoffMax = std::chrono::seconds(1);
constexpr int kBackoffDoublingsMax = 5;

double MillisecondsOf(std::uint64_t us) { return static_cast<double>(us) / 1e3; }

Instant After(Instant now, Duration wait) { return wait > kNever - now ? kNever : now + wait; }

}  // namespace

RequestFlow::RequestFlow(Request request, std::unique_ptr<ResponseObserver> observer,
                         const FlowLimits& limits, Instant now)
    : request_(std::move(request)),
      observer_(std::move(observer)),
      limits_(limits),
      started_(now),
      deadline_(After(now, request_.time_left)),
      queued_at_(now),
      ready_at_(now) {}

RequestFlow::~RequestFlow() = default;

bool RequestFlow::IsPrefill(LinkId link) const {
  return pair_ && pair_->prefill && pair_->prefill->link == link;
}

bool RequestFlow::IsDecode(LinkId link) const { return pair_ && pair_->decode.link == link; }

bool RequestFlow::Concerns(LinkId from, std::uint32_t attempt) const {
  const bool live = state_ == FlowState::kRunning || state_ == FlowState::kClosing;
  return live && attempt == attempt_ && (IsPrefill(from) || IsDecode(from));
}

Instant RequestFlow::due() const {
  if (state_ == FlowState::kEnded) return kNever;
  if (state_ == FlowState::kClosing) return std::min(closing_until_, deadline_);
  if (state_ == FlowState::kRunning) return deadline_;
  return std::min(deadline_, After(queued_at_, limits_.queue_max));
}

void RequestFlow::Dispatch(FlowPair pair, Instant now, RouterOutbox& out) {
  BATON_CHECK(state_ == FlowState::kQueued);
  state_ = FlowState::kRunning;
  ++attempt_;
  committed_ = !pair.prefill;
  reported_ = false;
  begun_with_ = generated_.size();
  ahead_.clear();
  pair_ = std::move(pair);
  budget_ = {};
  budget_.decode_worker = pair_->decode.id;
  if (pair_->prefill) budget_.prefill_worker = pair_->prefill->id;
  link::Sequence sequence = SequenceOf(request_, attempt_, generated_, deadline_ - now);
  if (!ScoresPrompt()) sequence.mutable_sampling()->clear_prompt_logprobs();  // known by now
  // Decode first: it is to know of the hand-off before prefill offers it.
  out.push_back({pair_->decode.link, DecodeJobFor(*pair_, sequence)});
  if (pair_->prefill) out.push_back({pair_->prefill->link, PrefillJobFor(*pair_, sequence)});
}

void RequestFlow::OnNoWorker(Instant now) {
  if (state_ != FlowState::kQueued) return;
  if (attempt_ > 0 && now < After(queued_at_, limits_.lost_worker_wait)) return;
  EndWith(
      absl::UnavailableError(
          attempt_ > 0 ? "the request's workers are gone and none came in time; try again shortly"
                       : "no worker can take the request now; try again shortly"),
      "no_worker");
}

void RequestFlow::Fail(const absl::Status& status, const std::string& code, RouterOutbox& out) {
  if (state_ == FlowState::kEnded) return;
  if (state_ == FlowState::kClosing) return Close();  // every token was delivered: it did finish
  if (state_ == FlowState::kRunning) CancelAttempt(out);
  EndWith(status, code);
}

void RequestFlow::Cancel(bool answered, RouterOutbox& out) {
  if (answered) return Fail(absl::CancelledError("the answer is whole"), "finished", out);
  Fail(absl::CancelledError("the client is gone"), "cancelled", out);
}

void RequestFlow::OnTimer(Instant now, RouterOutbox& out) {
  if (now < due()) return;
  if (state_ == FlowState::kClosing) return Close();
  const bool queued = state_ == FlowState::kQueued && now < deadline_;
  Fail(absl::DeadlineExceededError(queued ? "no worker had room within router.queue_ms_max"
                                          : "the request's time is over"),
       "deadline", out);
}

void RequestFlow::OnTokens(LinkId from, const link::SequenceTokens& tokens, Instant now,
                           RouterOutbox& out) {
  if (!Concerns(from, tokens.attempt()) || state_ == FlowState::kClosing) return;
  if (RunAhead(from, tokens)) return ahead_.push_back(tokens);
  const std::size_t end = tokens.first_index() + static_cast<std::size_t>(tokens.tokens_size());
  const bool ends = tokens.finish() != static_cast<std::uint32_t>(FinishReason::kNone);
  const bool known_finish = tokens.finish() <= static_cast<std::uint32_t>(FinishReason::kLength);
  const bool whole =
      tokens.first_index() <= generated_.size() && end >= (ends ? generated_.size() : 0);
  if (!whole || !known_finish) return Distrust("a worker's tokens were out of order", now, out);
  if (ScoresPrompt()) return Distrust("a worker left out logprobs of the prompt", now, out);
  if (IsDecode(from)) committed_ = true;
  TakeTokens(from, tokens, now);
  if (ends) return Finish(from, static_cast<FinishReason>(tokens.finish()), now, out);
  const LinkId decode = pair_->decode.link;
  for (const link::SequenceTokens& held : std::exchange(ahead_, {})) {
    OnTokens(decode, held, now, out);  // each is judged as if it came now
  }
}

void RequestFlow::OnPromptLogprobs(LinkId from, const link::PromptLogprobs& said, Instant now,
                                   RouterOutbox& out) {
  if (!Concerns(from, said.attempt()) || state_ == FlowState::kClosing) return;
  const bool computes = pair_->prefill ? IsPrefill(from) : IsDecode(from);
  if (!computes || !IsOfPrompt(said)) {
    return Distrust("a worker's logprobs were not of the prompt", now, out);
  }
  std::vector<PromptLogprob> fresh;
  for (std::size_t i = scored_ + 1 - said.first_position();
       i < static_cast<std::size_t>(said.tokens_size()); ++i) {
    fresh.push_back(FromProto(said.tokens(static_cast<int>(i))));
  }
  if (fresh.empty()) return;  // an earlier attempt told them
  scored_ += fresh.size();
  observer_->OnPromptLogprobs(fresh);
}

bool RequestFlow::IsOfPrompt(const link::PromptLogprobs& said) const {
  const std::size_t first = said.first_position();
  const std::size_t end = first + static_cast<std::size_t>(said.tokens_size());
  if (first == 0 || first > scored_ + 1 || end > request_.prompt.size()) return false;
  for (std::size_t i = first; i < end; ++i) {
    const link::PromptLogprob& token = said.tokens(static_cast<int>(i - first));
    if (token.token() != request_.prompt[i]) return false;
    if (token.top_size() > std::max(0, request_.sampling.prompt_logprobs)) return false;
  }
  return request_.sampling.prompt_logprobs >= 0;
}

void RequestFlow::Distrust(const char* why, Instant now, RouterOutbox& out) {
  link::JobFailed broken;
  broken.set_reason(link::FAIL_INTERNAL);
  broken.set_message(why);
  RetryFailure(broken, now, out);
}

bool RequestFlow::RunAhead(LinkId from, const link::SequenceTokens& tokens) const {
  const bool first_is_missing = pair_->prefill && generated_.size() == begun_with_;
  const bool second = tokens.first_index() == begun_with_ + 1;
  return IsDecode(from) && first_is_missing && (second || !ahead_.empty()) &&
         ahead_.size() < kAheadMax;
}

void RequestFlow::TakeTokens(LinkId from, const link::SequenceTokens& tokens, Instant now) {
  std::vector<TokenOutput> fresh;
  const bool first = generated_.empty();
  const std::size_t limit = static_cast<std::size_t>(std::max(1, request_.stop.max_tokens));
  const std::size_t known = generated_.size() - tokens.first_index();
  for (std::size_t i = known; i < static_cast<std::size_t>(tokens.tokens_size()); ++i) {
    if (generated_.size() >= limit) break;  // a worker must not exceed what was asked
    fresh.push_back(FromProto(tokens.tokens(static_cast<int>(i))));
    generated_.push_back(fresh.back().token);
  }
  if (fresh.empty()) return;
  if (first) first_token_ms_ = ToMilliseconds(now - started_);
  // Only decode's tokens show that hand-offs work: prefill's would renew the patience for ever.
  if (IsDecode(from)) {
    failures_ = faults_ = 0;
    refused_since_ = kNever;
  }
  observer_->OnTokens(fresh);
}

void RequestFlow::Finish(LinkId from, FinishReason reason, Instant now, RouterOutbox& out) {
  finish_ = reason;
  state_ = FlowState::kClosing;
  const bool at_first_token = IsPrefill(from);
  // The first token was the last: decode waits for a hand-off that nobody needs.
  if (at_first_token) out.push_back({pair_->decode.link, CancelFor(request_.id, attempt_)});
  if (at_first_token || !pair_->prefill || reported_) return Close();
  closing_until_ = After(now, kReportWait);
}

void RequestFlow::Close() {
  state_ = FlowState::kEnded;
  outcome_ = "finished";
  const int prompt = static_cast<int>(request_.prompt.size());
  const RequestUsage usage{.prompt_tokens = prompt,
                           .completion_tokens = static_cast<int>(generated_.size()),
                           .cached_tokens = std::clamp(cached_tokens_, 0, prompt)};
  budget_.first_token_ms = first_token_ms_;
  observer_->OnFinished(finish_, usage, budget_);
}

bool RequestFlow::OnAccepted(LinkId from, const link::JobAccepted& accepted) {
  if (!Concerns(from, accepted.attempt())) return false;
  const bool computes = pair_->prefill ? IsPrefill(from) : IsDecode(from);
  if (!computes) return false;
  const int cached =
      static_cast<int>(std::min<std::size_t>(accepted.cached_tokens(), request_.prompt.size()));
  cached_tokens_ = cached_tokens_ < 0 ? cached : std::min(cached_tokens_, cached);
  return true;
}

void RequestFlow::OnReport(LinkId from, const link::HandoffReport& report) {
  if (!Concerns(from, report.attempt()) || !IsPrefill(from)) return;
  reported_ = true;
  if (report.outcome() == "committed") committed_ = true;
  budget_.wire = report.wire();
  budget_.queue_ms = MillisecondsOf(report.queue_us());
  budget_.prefill_ms = MillisecondsOf(report.prefill_us());
  budget_.offer_ms = MillisecondsOf(report.offer_us());
  budget_.exposed_ms = MillisecondsOf(report.exposed_us());
  budget_.commit_ms = MillisecondsOf(report.commit_us());
  budget_.bytes = report.bytes();
  budget_.pages_sent = report.pages_sent();
  budget_.pages_saved = report.pages_saved();
  if (state_ == FlowState::kClosing) Close();
}

void RequestFlow::OnFailed(LinkId from, const link::JobFailed& failed, Instant now,
                           RouterOutbox& out) {
  if (!Concerns(from, failed.attempt())) return;
  if (state_ == FlowState::kClosing) return;       // every token is there
  if (IsPrefill(from) && !NeedsPrefill()) return;  // decode has the pages
  if (failed.retryable()) return RetryFailure(failed, now, out);
  const FlowError error = ErrorOf(failed);
  Fail(error.status, error.code, out);
}

void RequestFlow::RetryFailure(const link::JobFailed& failed, Instant now, RouterOutbox& out) {
  ++failures_;
  // A refusal is no fault: the request waits for room, as long as it may wait in the queue.
  const bool refused = IsRefusal(failed.reason());
  if (refused) refused_since_ = std::min(refused_since_, now);
  const bool over =
      refused ? now - refused_since_ >= limits_.queue_max : ++faults_ > limits_.retries_max;
  if (over) {
    const FlowError error = ErrorOf(failed);
    return Fail(error.status, error.code, out);
  }
  avoid_ = {pair_->decode.link};
  if (pair_->prefill) avoid_.push_back(pair_->prefill->link);
  const int doublings = std::min(failures_ - 1, kBackoffDoublingsMax);
  const Duration wait =
      std::max<Duration>(limits_.backoff * (1 << doublings), Milliseconds(failed.retry_after_ms()));
  Retry(refused ? "refused" : "failed", now + std::min(wait, kBackoffMax), now, out);
}

void RequestFlow::OnWorkerLost(LinkId lost, Instant now, RouterOutbox& out) {
  if (state_ == FlowState::kClosing && IsPrefill(lost)) return Close();  // no report will come
  if (state_ != FlowState::kRunning) return;
  const bool needed = IsDecode(lost) || (IsPrefill(lost) && NeedsPrefill());
  if (needed) Retry("worker_lost", now, now, out);
}

void RequestFlow::Retry(const char* reason, Instant ready_at, Instant now, RouterOutbox& out) {
  CancelAttempt(out);
  state_ = FlowState::kQueued;
  retry_reason_ = reason;
  queued_at_ = now;
  ready_at_ = ready_at;
  pair_.reset();
}

void RequestFlow::CancelAttempt(RouterOutbox& out) const {
  out.push_back({pair_->decode.link, CancelFor(request_.id, attempt_)});
  if (pair_->prefill) out.push_back({pair_->prefill->link, CancelFor(request_.id, attempt_)});
}

void RequestFlow::EndWith(const absl::Status& status, const std::string& code) {
  state_ = FlowState::kEnded;
  outcome_ = code;
  observer_->OnFailed(status, code);
}

}  // namespace baton
