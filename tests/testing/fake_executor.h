// An Executor without arithmetic, in virtual time. Each token's rows are a hash chain over the
// tokens before it, read back from the pages, and a sample depends on every byte of every row that
// the sequence may see: one wrong, stale or exchanged byte changes every later token.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/sampling.h"
#include "base/time.h"
#include "engine/executor.h"
#include "kvcache/kv_arena.h"

namespace baton {

inline constexpr int kFakeVocabulary = 1009;

/// Two layers of 16 bytes a token.
KvLayout FakeLayout(int tokens_per_page);

class FakeExecutor : public Executor {
 public:
  struct Options {
    int max_in_flight = 2;
    Duration step_time = Milliseconds(1);
    LayerDone layer_done;  // may be null
  };

  FakeExecutor(KvArena& arena, Options options) : arena_(arena), options_(std::move(options)) {}

  absl::Status Launch(Step step) override;
  absl::StatusOr<std::optional<StepResult>> TryCollect() override;
  int max_in_flight() const override { return options_.max_in_flight; }

  /// It is `now`: steps whose time has come write their rows and end.
  void Advance(Instant now);
  /// When the oldest running step ends; kNever without one.
  Instant due() const;

  /// From now on Launch and TryCollect say so.
  void LoseDevice() { lost_ = true; }

  const std::vector<Step>& launched() const { return launched_; }

 private:
  struct Running {
    Step step;
    Instant due;
    std::optional<StepResult> result{};
  };

  void Compute(Running& running);

  KvArena& arena_;
  Options options_;
  Instant now_{};
  Instant free_at_{};
  std::deque<Running> running_;
  std::vector<Step> launched_;
  bool lost_ = false;
};

/// What one undisturbed process gives to the tokens of `prompt` from the second on.
std::vector<PromptLogprob> FakePromptLogprobs(const std::vector<TokenId>& prompt);

/// What one undisturbed process answers to `prompt`, in chunks of any size.
std::vector<TokenOutput> FakeAnswer(const std::vector<TokenId>& prompt,
                                    const SamplingParams& sampling, const StopRule& stop);

}  // namespace baton
