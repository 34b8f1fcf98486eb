// A Gateway that answers from a script, on a thread of its own as the router does: for tests of the
// front doors.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/gateway.h"

namespace baton::testing {

class ScriptedGateway : public Gateway {
 public:
  /// What happens to each submitted request; runs on the gateway's thread. It may keep the observer
  /// in `live` to go on later.
  using Script = std::function<void(const Request&, std::unique_ptr<ResponseObserver>)>;

  ScriptedGateway();
  ~ScriptedGateway() override;

  void Submit(Request request, std::unique_ptr<ResponseObserver> observer) override;
  void Cancel(RequestId id, CancelReason reason) override;
  std::optional<ServedModel> model() const override;
  bool had_worker() const override { return had_worker_; }
  bool ready() const override { return true; }

  /// Before the first request.
  void SetScript(Script script) { script_ = std::move(script); }
  void SetModel(std::optional<ServedModel> model, bool had_worker = false) {
    model_ = std::move(model);
    had_worker_ = had_worker;
  }

  /// Runs `work` on the gateway's thread and waits for its end.
  void RunOnRouteThread(const std::function<void()>& work);

  /// Waits up to 5 s for that many; the number that came.
  std::size_t WaitForRequests(std::size_t count);
  std::size_t WaitForCancels(std::size_t count);

  /// Why the last request was cancelled. After WaitForCancels.
  CancelReason last_cancel() const;

  /// The requests so far, in order.
  std::vector<Request> requests() const;

  /// Observers that a script kept, by request. Gateway thread.
  std::map<RequestId, std::unique_ptr<ResponseObserver>> live;

 private:
  void Loop(std::stop_token stop);
  void Enqueue(std::function<void()> work);

  Script script_;
  std::optional<ServedModel> model_;
  bool had_worker_ = false;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::function<void()>> work_;
  std::vector<Request> requests_;
  std::vector<CancelReason> cancels_;
  std::jthread thread_;  // last: it uses all of the above
};

/// The model that tests serve: bytes and two control tokens, 8,192 tokens long.
ServedModel TestModel();

/// What a request that wants it hears of its prompt, from the second token on: made up, of rank 2.
std::vector<PromptLogprob> MadeUpPrompt(const Request& request);

/// A script: answers with the bytes of `answer`, a token a call, then the end that the request's
/// stop rule asks for (kLength when the answer is used up).
ScriptedGateway::Script AnswersWith(std::string answer);

/// One token a byte, with a made-up logprob where the request wants one.
TokenOutput ByteToken(char byte, const SamplingParams& sampling);

}  // namespace baton::testing
