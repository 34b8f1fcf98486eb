// What one request's observer heard, kept by the test.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "router/request.h"

namespace baton {

struct Heard {
  std::vector<PromptLogprob> prompt;
  std::vector<TokenId> tokens;
  int ends = 0;
  FinishReason finish = FinishReason::kNone;
  absl::Status status;
  std::string code;
  RequestUsage usage;
  HandoffBudget budget;
  bool after_end = false;  // something came after the end, or of the prompt after its answer began
};

class HearingObserver final : public ResponseObserver {
 public:
  /// `heard` outlives the observer.
  explicit HearingObserver(Heard& heard) : heard_(heard) {}

  void OnPromptLogprobs(const std::vector<PromptLogprob>& tokens) override {
    if (heard_.ends > 0 || !heard_.tokens.empty()) heard_.after_end = true;
    heard_.prompt.insert(heard_.prompt.end(), tokens.begin(), tokens.end());
  }
  void OnTokens(const std::vector<TokenOutput>& tokens) override {
    if (heard_.ends > 0) heard_.after_end = true;
    for (const TokenOutput& token : tokens) heard_.tokens.push_back(token.token);
  }
  void OnFinished(FinishReason reason, const RequestUsage& usage,
                  const HandoffBudget& budget) override {
    ++heard_.ends;
    heard_.finish = reason;
    heard_.usage = usage;
    heard_.budget = budget;
  }
  void OnFailed(const absl::Status& status, const std::string& code) override {
    ++heard_.ends;
    heard_.status = status;
    heard_.code = code;
  }

 private:
  Heard& heard_;
};

inline std::unique_ptr<ResponseObserver> Hearing(Heard& heard) {
  return std::make_unique<HearingObserver>(heard);
}

}  // namespace baton
