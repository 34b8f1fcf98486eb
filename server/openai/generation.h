// One call being answered: its choices' tokens become text, stop strings end them, the ends come
// together. It tells a sink what to write; which front door that is it does not know.
//
// A choice's last token is known from its stop rule, and is held until the router says how the
// choice ended: so the finish reason rides on the last token's delta, whatever the timing.
//
// Thread: one at a time; the owner sees to it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "router/request.h"
#include "server/gateway.h"
#include "server/http/http_error.h"
#include "server/openai/door_metrics.h"
#include "server/openai/generation_plan.h"
#include "server/text/answer_text.h"

namespace baton {

/// What one token of one choice adds to the answer.
struct ChoiceDelta {
  int choice = 0;                      // prompt x n + k
  bool first = false;                  // of this choice
  std::string text;                    // whole UTF-8, maybe empty
  const TokenOutput* token = nullptr;  // null when only held text goes out
  FinishReason finish = FinishReason::kNone;
  const std::string* stop_string = nullptr;  // what ended it, if one did
  std::optional<TokenId> stop_token;         // of stop_token_ids, if one ended it
};

struct AnswerTotals {
  int prompt_tokens = 0;  // each prompt once, however many choices it has
  int completion_tokens = 0;
  std::optional<int> cached_tokens;     // known once the choices' ends are
  std::optional<HandoffBudget> budget;  // of the first choice
};

/// Writes an answer. Deltas of all choices come in any order among choices; after OnDone or OnError
/// nothing follows.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  /// Of the choice's whole prompt from its second token on; before its first delta, where asked
  /// for.
  virtual void OnPromptLogprobs(int choice, std::vector<PromptLogprob> tokens) = 0;
  virtual void OnDelta(const ChoiceDelta& delta, const AnswerTotals& so_far) = 0;
  virtual void OnDone(const AnswerTotals& totals) = 0;
  virtual void OnError(const HttpError& error) = 0;
};

/// How a choice ended, as the router said it.
struct AnswerEnd {
  absl::Status status;  // not OK: OnFailed
  std::string code;     // OnFailed's
  FinishReason reason = FinishReason::kNone;
  RequestUsage usage;
  HandoffBudget budget;
};

class Generation {
 public:
  /// `read_at`: when the request had been read. What is passed by reference outlives the object.
  Generation(Gateway& gateway, const Tokenizer& tokenizer, const DoorMetrics& metrics,
             std::unique_ptr<AnswerSink> sink, Instant read_at);

  /// Takes the plan apart: keeps what answering needs, and hands each request to the gateway with
  /// the observer that `observe(choice)` makes.
  void Submit(GenerationPlan plan,
              const std::function<std::unique_ptr<ResponseObserver>(int choice)>& observe);

  void OnPromptLogprobs(int choice, const std::vector<PromptLogprob>& tokens);
  void OnTokens(int choice, const std::vector<TokenOutput>& tokens, Instant now);
  void OnEnd(int choice, const AnswerEnd& end, Instant now);

  /// Ends the answer with this error; whatever still runs is cancelled.
  void FailWith(const HttpError& error);

  /// The client is gone: whatever still runs is cancelled, nothing more is written.
  void Abandon(Instant now);

  /// True once nothing more will be written.
  bool done() const { return done_; }

  AnswerSink& sink() { return *sink_; }

 private:
  struct Choice {
    Choice(const Request& request, bool first_of_prompt, AnswerText answer)
        : id(request.id),
          stop(request.stop),
          prompt_tokens(static_cast<int>(request.prompt.size())),
          bears_prompt(first_of_prompt),
          text(std::move(answer)) {}

    RequestId id;
    StopRule stop;
    int prompt_tokens;
    bool bears_prompt;  // the first of its prompt: counts it
    AnswerText text;
    std::vector<PromptLogprob> prompt;  // until all of it is there
    int generated = 0;
    bool ended = false;
    bool said_anything = false;
    std::optional<TokenOutput> last;  // held until the end is known
    Instant token_at{};
    RequestUsage usage;
    bool usage_known = false;
  };

  void TakeToken(int index, const TokenOutput& token);
  void EndByStopString(int index, ChoiceDelta delta);
  void EndByRouter(int index, const AnswerEnd& end);
  void Say(Choice& choice, ChoiceDelta delta);
  void FinishIfAllEnded();
  void CountEnd(const Choice& choice, FinishReason reason);
  void Fail(int index, const AnswerEnd& end);
  void CancelRunning();
  AnswerTotals Totals() const;

  Gateway& gateway_;
  const Tokenizer& tokenizer_;
  const DoorMetrics& metrics_;
  const std::unique_ptr<AnswerSink> sink_;
  const Instant read_at_;
  std::vector<TokenId> client_stop_tokens_;
  std::vector<Choice> choices_;
  bool prompt_only_ = false;
  std::optional<HandoffBudget> budget_;
  Instant now_{};
  bool done_ = false;
};

/// What the router's refusal or failure is to a client.
HttpError ErrorOfEnd(const absl::Status& status, const std::string& code);

}  // namespace baton
