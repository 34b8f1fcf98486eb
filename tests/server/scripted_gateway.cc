#include "tests/server/scripted_gateway.h"

#include <utility>

namespace baton::testing {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);

}  // namespace

ScriptedGateway::ScriptedGateway()
    : model_(TestModel()), thread_([this](std::stop_token stop) { Loop(std::move(stop)); }) {}

ScriptedGateway::~ScriptedGateway() {
  thread_.request_stop();
  thread_.join();
}

void ScriptedGateway::Loop(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait_for(lock, stop, kPatience, [this] { return !work_.empty(); });
    if (stop.stop_requested()) return;
    if (work_.empty()) continue;
    const std::function<void()> work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

void ScriptedGateway::Enqueue(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
  }
  changed_.notify_all();
}

void ScriptedGateway::Submit(Request request, std::unique_ptr<ResponseObserver> observer) {
  {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  // std::function wants a copyable closure; the observer is owned by the work alone.
  auto* released = observer.release();
  Enqueue([this, request = std::move(request), released] {
    script_(request, std::unique_ptr<ResponseObserver>(released));
  });
}

void ScriptedGateway::Cancel(RequestId id, CancelReason reason) {
  {
    std::lock_guard lock(mutex_);
    cancels_.push_back(reason);
  }
  Enqueue([this, id] {
    const auto it = live.find(id);
    if (it == live.end()) return;
    it->second->OnFailed(absl::CancelledError("cancelled"), "internal");
    live.erase(it);
  });
}

std::optional<ServedModel> ScriptedGateway::model() const { return model_; }

void ScriptedGateway::RunOnRouteThread(const std::function<void()>& work) {
  std::mutex mutex;
  std::condition_variable done;
  bool ended = false;
  Enqueue([&] {
    work();
    std::lock_guard lock(mutex);
    ended = true;
    done.notify_one();
  });
  std::unique_lock lock(mutex);
  while (!ended) done.wait_for(lock, kPatience);
}

std::size_t ScriptedGateway::WaitForRequests(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [&] { return requests_.size() >= count; });
  return requests_.size();
}

std::size_t ScriptedGateway::WaitForCancels(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [&] { return cancels_.size() >= count; });
  return cancels_.size();
}

CancelReason ScriptedGateway::last_cancel() const {
  std::lock_guard lock(mutex_);
  return cancels_.back();
}

std::vector<Request> ScriptedGateway::requests() const {
  std::lock_guard lock(mutex_);
  return requests_;
}

ServedModel TestModel() {
  ServedModel model;
  model.name = "recall";
  model.vocab_size = 258;
  model.ids_with_text = 256;
  model.length_tokens_max = 8192;
  model.page_tokens = 64;
  model.end_tokens = {257};
  return model;
}

TokenOutput ByteToken(char byte, const SamplingParams& sampling) {
  TokenOutput token;
  token.token = static_cast<unsigned char>(byte);
  if (sampling.logprobs < 0) return token;
  token.logprob = -0.25F;
  for (int i = 0; i < sampling.logprobs; ++i) {
    token.top.push_back({(token.token + i) % 256, -0.25F - static_cast<float>(i)});
  }
  return token;
}

std::vector<PromptLogprob> MadeUpPrompt(const Request& request) {
  std::vector<PromptLogprob> scored;
  for (std::size_t i = 1; i < request.prompt.size(); ++i) {
    PromptLogprob& token = scored.emplace_back();
    token = {
        .token = request.prompt[i], .logprob = -0.5F * static_cast<float>(i), .rank = 2, .top = {}};
    for (int rank = 0; rank < request.sampling.prompt_logprobs; ++rank) {
      const TokenId other = rank == 1 ? token.token : (token.token + 1 + rank) % 256;
      token.top.push_back(
          {other, rank == 1 ? token.logprob : -0.125F * static_cast<float>(rank + 1)});
    }
  }
  return scored;
}

ScriptedGateway::Script AnswersWith(std::string answer) {
  return [answer = std::move(answer)](const Request& request,
                                      std::unique_ptr<ResponseObserver> observer) {
    RequestUsage usage;
    usage.prompt_tokens = static_cast<int>(request.prompt.size());
    usage.cached_tokens = 64;
    HandoffBudget budget;
    budget.prefill_worker = "prefill-0";
    budget.wire = "tcp";
    budget.exposed_ms = 1.5;
    FinishReason reason = FinishReason::kNone;
    const std::vector<PromptLogprob> prompt = MadeUpPrompt(request);
    if (request.sampling.prompt_logprobs >= 0 && !prompt.empty()) {
      // As it comes in chunks of a prompt.
      observer->OnPromptLogprobs({prompt.front()});
      observer->OnPromptLogprobs({prompt.begin() + 1, prompt.end()});
    }
    for (const char byte : answer) {
      observer->OnTokens({ByteToken(byte, request.sampling)});
      ++usage.completion_tokens;
      reason = request.stop.After(usage.completion_tokens, static_cast<unsigned char>(byte));
      if (reason != FinishReason::kNone) break;
    }
    if (reason == FinishReason::kNone) reason = FinishReason::kLength;
    observer->OnFinished(reason, usage, budget);
  };
}

}  // namespace baton::testing
