#include "server/public_generate_service.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>

#include "server/openai/server_timing.h"
#include "server/public_request.h"

namespace baton {
namespace {

// A reader that lets more than that wait is taken for gone: 64 KiB and more of tokens.
constexpr std::size_t kEventsWaitingMax = 4096;

grpc::StatusCode CodeOf(int http_status) {
  switch (http_status) {
    case 400:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case 404:
      return grpc::StatusCode::NOT_FOUND;
    case 429:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case 503:
      return grpc::StatusCode::UNAVAILABLE;
    case 504:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    default:
      return grpc::StatusCode::INTERNAL;
  }
}

Instant Now() { return std::chrono::steady_clock::now(); }

HttpError TooManyCalls() {
  return {503, "unavailable_error", "too many calls are being answered; try again", "",
          "queue_full"};
}

// Nobody reads it.
HttpError ClientGone() { return {503, "unavailable_error", "the client is gone", "", "cancelled"}; }

}  // namespace

grpc::Status PublicStatus(const HttpError& error, grpc::ServerContextBase& context) {
  if (!error.code.empty()) context.AddTrailingMetadata("baton-error-code", error.code);
  if (!error.param.empty()) context.AddTrailingMetadata("baton-error-param", error.param);
  return {CodeOf(error.status), error.message};
}

/// One call. Every member is guarded by the table's lock; gRPC's Start methods are called outside
/// it, since their reactions may come before they return.
class PublicGenerateCall : public grpc::ServerWriteReactor<v1::GenerateEvent> {
 public:
  /// What is to be done with gRPC after the lock has been given back.
  enum class Todo { kNothing, kWrite, kFinish };

  PublicGenerateCall(PublicGenerateCalls& calls, grpc::CallbackServerContext& context)
      : calls_(calls), context_(context) {}

  /// A call that has failed before it began.
  void Refuse(const HttpError& error) {
    finished_ = true;
    Finish(PublicStatus(error, context_));
  }

  void Begin(std::uint64_t number, std::unique_ptr<Generation> generation) {
    number_ = number;
    generation_ = std::move(generation);
  }

  Generation& generation() { return *generation_; }

  /// The client left before it began.
  bool cancelled() const { return cancelled_; }

  void Queue(v1::GenerateEvent event) {
    if (queue_.size() >= kEventsWaitingMax) {
      overrun_ = true;
      return;
    }
    queue_.push_back(std::move(event));
  }

  void SayTiming(const HandoffBudget& budget) {
    context_.AddTrailingMetadata("server-timing", ServerTimingOf(budget));
  }

  void End(const HttpError* error) {
    ended_ = true;
    if (error != nullptr) status_ = PublicStatus(*error, context_);
  }

  Todo Next() {
    if (overrun_ && !dropped_) Drop({grpc::StatusCode::RESOURCE_EXHAUSTED, "read faster"});
    if (writing_ || finished_) return Todo::kNothing;
    if (!queue_.empty() && !dropped_) {
      current_ = std::move(queue_.front());
      queue_.pop_front();
      writing_ = true;
      return Todo::kWrite;
    }
    if (!ended_) return Todo::kNothing;
    finished_ = true;
    calls_.calls_.erase(number_);
    return Todo::kFinish;
  }

  void Do(Todo todo) {
    if (todo == Todo::kWrite) StartWrite(&current_);
    if (todo == Todo::kFinish) Finish(status_);
  }

  void OnWriteDone(bool ok) override {
    Todo todo = Todo::kNothing;
    {
      std::lock_guard lock(calls_.mutex_);
      writing_ = false;
      if (!ok && !ended_) Drop({grpc::StatusCode::CANCELLED, "the client is gone"});
      if (!ok) dropped_ = true;
      todo = Next();
    }
    Do(todo);
  }

  void OnCancel() override {
    Todo todo = Todo::kNothing;
    {
      std::lock_guard lock(calls_.mutex_);
      cancelled_ = true;
      if (generation_ == nullptr) return;  // refused, or not begun: Start sees it
      if (!ended_) Drop({grpc::StatusCode::CANCELLED, "the client is gone"});
      dropped_ = true;
      todo = Next();
    }
    Do(todo);
  }

  void OnDone() override { delete this; }

 private:
  /// Nobody reads on: what still runs is cancelled.
  void Drop(grpc::Status status) {
    generation_->Abandon(Now());
    status_ = std::move(status);
    ended_ = true;
    dropped_ = true;
  }

  PublicGenerateCalls& calls_;
  grpc::CallbackServerContext& context_;
  std::uint64_t number_ = 0;
  std::unique_ptr<Generation> generation_;
  std::deque<v1::GenerateEvent> queue_;
  v1::GenerateEvent current_;  // handed to gRPC
  grpc::Status status_;
  bool writing_ = false;
  bool cancelled_ = false;
  bool ended_ = false;     // status_ stands
  bool dropped_ = false;   // what is queued is not written
  bool overrun_ = false;   // more waits than may
  bool finished_ = false;  // Finish was, or is about to be, called
};

namespace {

class PublicSink : public AnswerSink {
 public:
  PublicSink(PublicGenerateCall& call, bool logprobs) : call_(call), logprobs_(logprobs) {}

  void OnPromptLogprobs(int choice, std::vector<PromptLogprob> tokens) override {
    for (v1::GenerateEvent& event : PublicEvents(choice, tokens)) call_.Queue(std::move(event));
  }
  void OnDelta(const ChoiceDelta& delta, const AnswerTotals&) override {
    call_.Queue(PublicEvent(delta, logprobs_));
  }
  void OnDone(const AnswerTotals& totals) override {
    call_.Queue(PublicEvent(totals));
    if (totals.budget.has_value()) call_.SayTiming(*totals.budget);
    call_.End(nullptr);
  }
  void OnError(const HttpError& error) override { call_.End(&error); }

 private:
  PublicGenerateCall& call_;
  const bool logprobs_;
};

}  // namespace

class PublicGenerateCalls::Observer : public ResponseObserver {
 public:
  Observer(PublicGenerateCalls& calls, std::uint64_t number, int choice)
      : calls_(calls), number_(number), choice_(choice) {}

  void OnPromptLogprobs(const std::vector<PromptLogprob>& tokens) override {
    calls_.DeliverPrompt(number_, choice_, tokens);
  }
  void OnTokens(const std::vector<TokenOutput>& tokens) override {
    calls_.Deliver(number_, choice_, tokens, nullptr);
  }
  void OnFinished(FinishReason reason, const RequestUsage& usage,
                  const HandoffBudget& budget) override {
    AnswerEnd end;
    end.reason = reason;
    end.usage = usage;
    end.budget = budget;
    calls_.Deliver(number_, choice_, {}, &end);
  }
  void OnFailed(const absl::Status& status, const std::string& code) override {
    AnswerEnd end;
    end.status = status;
    end.code = code;
    calls_.Deliver(number_, choice_, {}, &end);
  }

 private:
  PublicGenerateCalls& calls_;
  const std::uint64_t number_;
  const int choice_;
};

void PublicGenerateCalls::DeliverPrompt(std::uint64_t number, int choice,
                                        const std::vector<PromptLogprob>& tokens) {
  PublicGenerateCall* call = nullptr;
  auto todo = PublicGenerateCall::Todo::kNothing;
  {
    std::lock_guard lock(mutex_);
    const auto it = calls_.find(number);
    if (it == calls_.end()) return;
    call = it->second;
    call->generation().OnPromptLogprobs(choice, tokens);
    todo = call->Next();
  }
  call->Do(todo);
}

void PublicGenerateCalls::Deliver(std::uint64_t number, int choice,
                                  const std::vector<TokenOutput>& tokens, const AnswerEnd* end) {
  PublicGenerateCall* call = nullptr;
  auto todo = PublicGenerateCall::Todo::kNothing;
  {
    std::lock_guard lock(mutex_);
    const auto it = calls_.find(number);
    if (it == calls_.end()) return;  // ended: late news are nobody's
    call = it->second;
    if (!tokens.empty()) call->generation().OnTokens(choice, tokens, Now());
    if (end != nullptr) call->generation().OnEnd(choice, *end, Now());
    todo = call->Next();
  }
  call->Do(todo);  // with nothing to do it is not touched: it may be gone by now
}

std::optional<HttpError> PublicGenerateCalls::Plan(const grpc::CallbackServerContext& context,
                                                   const v1::GenerateRequest& request,
                                                   ApiCall& call, GenerationPlan& plan) {
  if (auto no = ParsePublicCall(request, context_.options.limits, call)) return no;
  std::vector<std::vector<TokenId>> prompts;
  if (auto no = PlanCall(context_, call, prompts, plan)) return no;
  const Duration to_deadline = context.deadline() - std::chrono::system_clock::now();
  for (Request& each : plan.requests) each.time_left = std::min(each.time_left, to_deadline);
  return std::nullopt;
}

/// A call on its way from the request to its start: the large ones on a text thread.
class PublicGenerateCalls::Preparation final : public TextJob {
 public:
  Preparation(PublicGenerateCalls& calls, grpc::CallbackServerContext& context,
              const v1::GenerateRequest& request, PublicGenerateCall& reactor)
      : calls_(calls), context_(context), request_(request), reactor_(reactor), read_at_(Now()) {}

  void Work() override { refusal_ = calls_.Plan(context_, request_, call_, plan_); }
  void Done() override {
    if (refusal_.has_value()) return reactor_.Refuse(*refusal_);
    calls_.Start(reactor_, call_, std::move(plan_), read_at_);
  }

 private:
  PublicGenerateCalls& calls_;
  grpc::CallbackServerContext& context_;
  const v1::GenerateRequest& request_;  // stays until the call has finished
  PublicGenerateCall& reactor_;
  const Instant read_at_;
  ApiCall call_;
  GenerationPlan plan_;
  std::optional<HttpError> refusal_;
};

grpc::ServerWriteReactor<v1::GenerateEvent>* PublicGenerateCalls::Open(
    grpc::CallbackServerContext& context, const v1::GenerateRequest& request) {
  auto* const reactor = new PublicGenerateCall(*this, context);  // OnDone deletes it
  std::unique_ptr<TextJob> job = std::make_unique<Preparation>(*this, context, request, *reactor);
  if (request.ByteSizeLong() <= TextThreads::kAtOnceBytes) {
    job->Work();
    job->Done();
    return reactor;
  }
  const auto deliver = [this](std::uint64_t number) { texts_.Finish(number); };
  if (!texts_.TryRun(job, deliver)) reactor->Refuse(TooManyCalls());
  return reactor;
}

void PublicGenerateCalls::Start(PublicGenerateCall& reactor, const ApiCall& call,
                                GenerationPlan plan, Instant read_at) {
  std::unique_lock lock(mutex_);
  const bool full = calls_.size() >= calls_max_;
  if (full || reactor.cancelled()) {
    lock.unlock();
    return reactor.Refuse(full ? TooManyCalls() : ClientGone());
  }
  const std::uint64_t number = ++last_number_;
  calls_.emplace(number, &reactor);
  auto sink = std::make_unique<PublicSink>(reactor, call.style.logprobs);
  reactor.Begin(number, std::make_unique<Generation>(gateway_, context_.tokenizer, metrics_,
                                                     std::move(sink), read_at));
  reactor.generation().Submit(std::move(plan), [this, number](int choice) {
    return std::make_unique<Observer>(*this, number, choice);
  });
  metrics_.dispatch.Observe(ToSeconds(Now() - read_at));
}

}  // namespace baton
