#include "server/openai/answer_inbox.h"

#include <chrono>
#include <utility>

namespace baton {

class AnswerInbox::Observer : public ResponseObserver {
 public:
  Observer(AnswerInbox& inbox, std::uint64_t call, int choice)
      : inbox_(inbox), call_(call), choice_(choice) {}

  void OnPromptLogprobs(const std::vector<PromptLogprob>& tokens) override {
    AnswerEvent event = Begin();
    event.prompt = tokens;
    inbox_.Put(std::move(event));
  }

  void OnTokens(const std::vector<TokenOutput>& tokens) override {
    AnswerEvent event = Begin();
    event.tokens = tokens;
    inbox_.Put(std::move(event));
  }

  void OnFinished(FinishReason reason, const RequestUsage& usage,
                  const HandoffBudget& budget) override {
    AnswerEvent event = Begin();
    event.end = std::make_unique<AnswerEnd>();
    event.end->reason = reason;
    event.end->usage = usage;
    event.end->budget = budget;
    inbox_.Put(std::move(event));
  }

  void OnFailed(const absl::Status& status, const std::string& code) override {
    AnswerEvent event = Begin();
    event.end = std::make_unique<AnswerEnd>();
    event.end->status = status;
    event.end->code = code;
    inbox_.Put(std::move(event));
  }

 private:
  AnswerEvent Begin() const {
    AnswerEvent event;
    event.call = call_;
    event.choice = choice_;
    event.received_at = std::chrono::steady_clock::now();
    return event;
  }

  AnswerInbox& inbox_;
  const std::uint64_t call_;
  const int choice_;
};

std::unique_ptr<ResponseObserver> AnswerInbox::Observe(std::uint64_t call, int choice) {
  return std::make_unique<Observer>(*this, call, choice);
}

void AnswerInbox::Put(AnswerEvent event) {
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    was_empty = events_.empty();
    events_.push_back(std::move(event));
  }
  if (was_empty) wake_();
}

void AnswerInbox::Drain(std::vector<AnswerEvent>& events) {
  events.clear();
  std::lock_guard lock(mutex_);
  events.swap(events_);
}

}  // namespace baton
