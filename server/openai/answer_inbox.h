// Where answers change threads: observers on the route thread put events in, the HTTP thread takes
// them out in order, one wake-up a batch.
//
// Bound: a request brings at most max_tokens tokens and one end, and ApiOptions::calls_max calls
// run at once.
//
// Thread: Observe and Drain on the HTTP thread; the observers on the route thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/time.h"
#include "router/request.h"
#include "server/openai/generation.h"

namespace baton {

struct AnswerEvent {
  std::uint64_t call = 0;
  int choice = 0;
  Instant received_at{};
  std::vector<PromptLogprob> prompt;
  std::vector<TokenOutput> tokens;
  std::unique_ptr<AnswerEnd> end;  // null while the choice runs
};

class AnswerInbox {
 public:
  /// `wake` is called on the route thread when the inbox stops being empty. The inbox outlives
  /// every observer.
  explicit AnswerInbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  /// The observer of one choice of one call.
  std::unique_ptr<ResponseObserver> Observe(std::uint64_t call, int choice);

  /// Swaps what has come into `events`, which is cleared first.
  void Drain(std::vector<AnswerEvent>& events);

 private:
  class Observer;
  void Put(AnswerEvent event);

  const std::function<void()> wake_;
  std::mutex mutex_;
  std::vector<AnswerEvent> events_;
};

}  // namespace baton
