#include "engine/generate.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bounded_queue.h"
#include "base/status.h"
#include "engine/model_executor.h"
#include "kvcache/kv_arena.h"

namespace baton {
namespace {

// A chunk at the end of a long prompt takes minutes on the plain loops.
constexpr auto kStepTimeout = std::chrono::minutes(10);

using Clock = std::chrono::steady_clock;

}  // namespace

class Generator::Impl {
 public:
  Impl(const Model& model, int length, const GeneratorOptions& options)
      : model_(model), length_(length), options_(options), ready_(1) {}

  absl::Status Open(const Backend& backend) {
    const KvLayout layout = model_.LayoutFor(options_.kv_dtype, options_.tokens_per_page);
    const auto pages = static_cast<std::uint32_t>(layout.PagesFor(length_));
    BATON_ASSIGN_OR_RETURN(arena_, KvArena::Create(layout, pages));
    for (std::uint32_t page = 0; page < pages; ++page) pages_.push_back(PageId{page});
    ModelExecutorOptions options;
    options.threads = options_.threads;
    options.step_tokens_max = std::min(options_.chunk_tokens, length_);
    options.sequences_max = 1;
    options.step_ready = [this] { ready_.Ring(); };
    BATON_ASSIGN_OR_RETURN(executor_,
                           ModelExecutor::Create(model_, backend, *arena_, std::move(options)));
    return absl::OkStatus();
  }

  absl::StatusOr<Generation> Generate(const std::vector<TokenId>& prompt,
                                      const SamplingParams& sampling, const StopRule& stop) {
    if (prompt.empty() || prompt.size() >= static_cast<std::size_t>(length_)) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "a prompt of %d tokens; it must hold 1 to %d, to leave room for an answer", prompt.size(),
          length_ - 1));
    }
    if (lost_) return absl::FailedPreconditionError("an earlier step did not end; make another");
    const Clock::time_point start = Clock::now();
    std::vector<TokenId> tokens = prompt;
    const auto context = [&] {
      return ContextOf(sampling, stop, tokens, static_cast<int>(prompt.size()));
    };
    Generation generation;
    BATON_ASSIGN_OR_RETURN(TokenOutput next,
                           Prefill(prompt, sampling, context(), generation.prompt));
    generation.first_token = Clock::now() - start;
    int position = static_cast<int>(prompt.size());  // where `next` goes
    while (true) {
      const TokenId token = next.token;
      generation.outputs.push_back(std::move(next));
      generation.finish = stop.After(static_cast<int>(generation.outputs.size()), token);
      if (generation.finish == FinishReason::kNone && position + 1 >= length_) {
        generation.finish = FinishReason::kLength;
      }
      if (generation.finish != FinishReason::kNone) return generation;
      const Clock::time_point before = Clock::now();
      tokens.push_back(token);
      BATON_ASSIGN_OR_RETURN(next, Decode(position, token, sampling, context()));
      generation.token_times.push_back(Clock::now() - before);
      ++position;
    }
  }

 private:
  absl::StatusOr<TokenOutput> Prefill(const std::vector<TokenId>& prompt,
                                      const SamplingParams& sampling, const SampleContext& context,
                                      std::vector<PromptLogprob>& scored) {
    const int chunk = std::min(options_.chunk_tokens, length_);
    const int length = static_cast<int>(prompt.size());
    for (int first = 0;; first += chunk) {
      const int end = std::min(first + chunk, length);
      StepEntry entry = EntryFor(first, {prompt.begin() + first, prompt.begin() + end}, sampling);
      entry.samples = end == length;
      entry.followers = FollowersOf(sampling, prompt, length, first, end);
      if (entry.samples) entry.context = context;
      BATON_ASSIGN_OR_RETURN(StepResult result, RunEntry(std::move(entry)));
      for (PromptLogprobRun& run : result.prompts) {
        std::move(run.tokens.begin(), run.tokens.end(), std::back_inserter(scored));
      }
      if (end == length) return std::move(result.sampled.front().output);
    }
  }

  absl::StatusOr<TokenOutput> Decode(int position, TokenId token, const SamplingParams& sampling,
                                     SampleContext context) {
    StepEntry entry = EntryFor(position, {token}, sampling);
    entry.samples = true;
    entry.context = std::move(context);
    BATON_ASSIGN_OR_RETURN(StepResult result, RunEntry(std::move(entry)));
    return std::move(result.sampled.front().output);
  }

  StepEntry EntryFor(int first_position, std::vector<TokenId> tokens,
                     const SamplingParams& sampling) const {
    const int end = first_position + static_cast<int>(tokens.size());
    StepEntry entry;
    entry.first_position = first_position;
    entry.tokens = std::move(tokens);
    entry.pages.assign(pages_.begin(), pages_.begin() + arena_->layout().PagesFor(end));
    entry.sampling = sampling;
    return entry;
  }

  // Runs one entry as one step.
  absl::StatusOr<StepResult> RunEntry(StepEntry entry) {
    Step step;
    step.number = ++step_number_;
    step.entries.push_back(std::move(entry));
    BATON_RETURN_IF_ERROR(executor_->Launch(std::move(step)));
    return Collect();
  }

  absl::StatusOr<StepResult> Collect() {
    const Clock::time_point deadline = Clock::now() + kStepTimeout;
    while (true) {
      BATON_ASSIGN_OR_RETURN(std::optional<StepResult> result, executor_->TryCollect());
      if (result.has_value()) return *std::move(result);
      if (Clock::now() >= deadline) {
        lost_ = true;
        return absl::DeadlineExceededError("a step did not end within ten minutes");
      }
      ready_.WaitUntil(deadline);
    }
  }

  const Model& model_;
  const int length_;
  const GeneratorOptions options_;
  BoundedQueue<std::uint64_t> ready_;  // its bell alone: a step has ended
  std::unique_ptr<KvArena> arena_;
  std::vector<PageId> pages_;
  std::uint64_t step_number_ = 0;
  bool lost_ = false;                        // a step was given up on and still runs
  std::unique_ptr<ModelExecutor> executor_;  // last: its thread rings ready_ and writes arena_
};

absl::StatusOr<std::unique_ptr<Generator>> Generator::Create(const Model& model,
                                                             const Backend& backend,
                                                             const GeneratorOptions& options) {
  int length = model.facts().length_tokens_max;
  if (options.length_tokens_max > 0) length = std::min(length, options.length_tokens_max);
  if (length < 2 || options.chunk_tokens < 1) {
    return absl::InvalidArgumentError("generating needs room for 2 tokens and chunks of 1");
  }
  auto impl = std::make_unique<Impl>(model, length, options);
  BATON_RETURN_IF_ERROR(impl->Open(backend));
  return std::unique_ptr<Generator>(new Generator(std::move(impl)));
}

Generator::Generator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Generator::~Generator() = default;

absl::StatusOr<Generation> Generator::Generate(const std::vector<TokenId>& prompt,
                                               const SamplingParams& sampling,
                                               const StopRule& stop) {
  return impl_->Generate(prompt, sampling, stop);
}

}  // namespace baton
