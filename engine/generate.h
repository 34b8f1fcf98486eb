// The oracle: one prompt in one process, no hand-off, no batch. It runs the same executor as the
// workers do, so what a prefill and a decode worker stream together must equal this bit for bit.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/sampling.h"
#include "base/time.h"
#include "engine/model.h"
#include "kernels/backend.h"

namespace baton {

struct GeneratorOptions {
  int threads = 1;
  int length_tokens_max = 0;  // longest prompt and answer together; 0 = the model's
  int chunk_tokens = 512;     // prompt tokens a step
  int tokens_per_page = 64;
  DType kv_dtype = DType::kBf16;
};

/// What came out of one prompt.
struct Generation {
  std::vector<PromptLogprob> prompt;  // [prompt - 1] if asked for: of its tokens from the second on
  std::vector<TokenOutput> outputs;   // the end token, if one came, is the last
  FinishReason finish = FinishReason::kNone;
  Duration first_token{};             // from the call to the first token
  std::vector<Duration> token_times;  // [outputs - 1] of each later token
};

/// Thread: one. One sequence at a time; nothing is kept between calls.
class Generator {
 public:
  /// `model` and `backend` outlive it.
  /// Errors: as ModelExecutor::Create; ResourceExhausted when the pages do not fit in memory.
  static absl::StatusOr<std::unique_ptr<Generator>> Create(const Model& model,
                                                           const Backend& backend,
                                                           const GeneratorOptions& options);
  ~Generator();

  /// Errors: InvalidArgument when `prompt` is empty, too long or holds an id out of the vocabulary,
  /// or `sampling` is out of range; DeadlineExceeded when a step does not end within ten minutes,
  /// and FailedPrecondition ever after; Internal from the backend.
  absl::StatusOr<Generation> Generate(const std::vector<TokenId>& prompt,
                                      const SamplingParams& sampling, const StopRule& stop);

 private:
  class Impl;
  explicit Generator(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace baton
