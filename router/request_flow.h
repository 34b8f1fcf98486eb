// One request from the router's door to its end, whatever its workers do.
//
//             Dispatch                 finish                  report, or kReportWait
//   kQueued ------------> kRunning -------------> kClosing ------------------------> kEnded
//      ^                     |
//      | due                 | worker lost, retryable failure
//      +------ kQueued (with a due time) <-- new attempt: prompt + tokens so far
//
// From every state also: cancel, deadline, no worker, refusal --> kEnded. The observer hears one
// end, and tokens from 0 on, each once: prefill sends the first token and decode repeats it, a new
// attempt may repeat some, so tokens are taken by index. Sampling draws from (seed, position),
// which makes the continuation of another worker exact.
//
// Messages of older attempts and of workers that are not this attempt's are dropped.
//
// Thread: one, the router core's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/ids.h"
#include "base/time.h"
#include "proto/link.pb.h"
#include "router/flow_pair.h"
#include "router/request.h"
#include "router/router_output.h"

namespace baton {

enum class FlowState { kQueued, kRunning, kClosing, kEnded };

struct FlowLimits {
  int retries_max =
      2;  // faults without a token of decode's in between; no lost workers, no refusals
  Duration backoff = Milliseconds(50);
  Duration queue_max = std::chrono::seconds(30);
  Duration lost_worker_wait = std::chrono::seconds(2);
};

class RequestFlow {
 public:
  /// How long a finished answer waits for the prefill worker's report of its hand-off, which comes
  /// on another stream than the last token.
  static constexpr Duration kReportWait = Milliseconds(20);

  /// Messages of decode that may wait for the first token; more of them are a failure.
  static constexpr std::size_t kAheadMax = 256;

  RequestFlow(Request request, std::unique_ptr<ResponseObserver> observer, const FlowLimits& limits,
              Instant now);
  /// The end was told before.
  ~RequestFlow();
  RequestFlow(const RequestFlow&) = delete;
  RequestFlow& operator=(const RequestFlow&) = delete;

  FlowState state() const { return state_; }
  const Request& request() const { return request_; }
  const std::vector<TokenId>& generated() const { return generated_; }
  /// Dispatches so far; the current attempt's number.
  std::uint32_t attempt() const { return attempt_; }
  /// Log-probabilities of the prompt are still wanted: no cached prefix serves whoever computes it.
  bool ScoresPrompt() const {
    return request_.sampling.prompt_logprobs >= 0 && scored_ + 1 < request_.prompt.size();
  }
  /// Workers that failed this request: better another.
  const std::vector<LinkId>& avoid() const { return avoid_; }
  /// In kQueued: not to be dispatched before.
  Instant ready_at() const { return ready_at_; }
  /// When OnTimer has something to do at the latest.
  Instant due() const;
  /// "finished", or the error's code. Only in kEnded.
  const std::string& outcome() const { return outcome_; }
  /// Why the last new attempt was made: "worker_lost", "refused", "failed".
  const std::string& retry_reason() const { return retry_reason_; }

  /// kQueued -> kRunning: sends both jobs.
  void Dispatch(FlowPair pair, Instant now, RouterOutbox& out);

  /// No worker is there. A request that was never dispatched fails at once; one that has begun when
  /// lost_worker_wait is over.
  void OnNoWorker(Instant now);
  /// Ends it with this error. What ran is cancelled.
  void Fail(const absl::Status& status, const std::string& code, RouterOutbox& out);
  /// `answered`: its outcome is "finished" all the same.
  void Cancel(bool answered, RouterOutbox& out);
  void OnTimer(Instant now, RouterOutbox& out);

  void OnTokens(LinkId from, const link::SequenceTokens& tokens, Instant now, RouterOutbox& out);
  void OnPromptLogprobs(LinkId from, const link::PromptLogprobs& said, Instant now,
                        RouterOutbox& out);
  /// True when this is the statement of whoever computes the prompt.
  bool OnAccepted(LinkId from, const link::JobAccepted& accepted);
  void OnFailed(LinkId from, const link::JobFailed& failed, Instant now, RouterOutbox& out);
  void OnReport(LinkId from, const link::HandoffReport& report);
  void OnWorkerLost(LinkId lost, Instant now, RouterOutbox& out);

 private:
  bool IsPrefill(LinkId link) const;
  bool IsDecode(LinkId link) const;
  bool Concerns(LinkId from, std::uint32_t attempt) const;
  /// Nothing left out, nothing but what was asked, of this very prompt.
  bool IsOfPrompt(const link::PromptLogprobs& said) const;
  /// A worker said what it may not: another attempt.
  void Distrust(const char* why, Instant now, RouterOutbox& out);
  /// Decode's tokens come on another stream than prefill's first one and may overtake it. (Decode
  /// repeats the first token only where no logprob belongs to it or to the prompt.)
  bool RunAhead(LinkId from, const link::SequenceTokens& tokens) const;
  /// Whether the attempt still needs its prefill worker.
  bool NeedsPrefill() const { return !committed_ || !ahead_.empty(); }
  /// Appends what is new to generated_ and tells the observer.
  void TakeTokens(LinkId from, const link::SequenceTokens& tokens, Instant now);
  void Finish(LinkId from, FinishReason reason, Instant now, RouterOutbox& out);
  void Close();
  void Retry(const char* reason, Instant ready_at, Instant now, RouterOutbox& out);
  /// A failure that another attempt may mend; the error if there were too many.
  void RetryFailure(const link::JobFailed& failed, Instant now, RouterOutbox& out);
  void CancelAttempt(RouterOutbox& out) const;
  void EndWith(const absl::Status& status, const std::string& code);

  const Request request_;
  const std::unique_ptr<ResponseObserver> observer_;
  const FlowLimits limits_;
  const Instant started_;
  const Instant deadline_;

  FlowState state_ = FlowState::kQueued;
  std::uint32_t attempt_ = 0;
  std::optional<FlowPair> pair_;
  std::vector<LinkId> avoid_;
  std::size_t scored_ = 0;  // tokens of the prompt, from its second on, whose logprobs were told
  std::vector<TokenId> generated_;
  std::size_t begun_with_ = 0;               // tokens when the attempt was dispatched
  std::vector<link::SequenceTokens> ahead_;  // of decode, until prefill's first token is there
  FinishReason finish_ = FinishReason::kNone;
  HandoffBudget budget_;  // of the current attempt
  double first_token_ms_ = 0;
  int cached_tokens_ = -1;  // least over attempts; -1: not stated yet
  bool committed_ = false;  // decode has what it needs of prefill
  bool reported_ = false;
  // since decode's last new token
  int failures_ = 0;                // refusals and faults: they set the back-off
  int faults_ = 0;                  // bounded by retries_max
  Instant refused_since_ = kNever;  // the first refusal: bounded by queue_max
  Instant queued_at_;
  Instant ready_at_;
  Instant closing_until_ = kNever;
  std::string retry_reason_;
  std::string outcome_;
};

}  // namespace baton
