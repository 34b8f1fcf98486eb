#include "engine/model_executor.h"

#include <algorithm>
#include <deque>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bounded_queue.h"
#include "base/check.h"
#include "base/status.h"
#include "engine/model/architecture.h"
#include "engine/model/batch.h"
#include "engine/prompt_logprobs.h"
#include "engine/sampler.h"
#include "kernels/stream.h"

namespace baton {
namespace {

constexpr std::size_t kInFlightMax = 2;

BatchLimits LimitsOf(const Model& model, const KvArena& arena,
                     const ModelExecutorOptions& options) {
  BatchLimits limits;
  limits.tokens = options.step_tokens_max;
  limits.sequences = options.sequences_max;
  limits.pages_per_sequence = arena.layout().PagesFor(model.facts().length_tokens_max);
  limits.tokens_per_page = arena.layout().tokens_per_page;
  return limits;
}

absl::Status CheckEntry(const StepEntry& entry, const Model& model, const KvArena& arena) {
  const std::size_t end = static_cast<std::size_t>(entry.first_position) + entry.tokens.size();
  if (entry.first_position < 0 || entry.tokens.empty() ||
      end > static_cast<std::size_t>(model.facts().length_tokens_max)) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "sequence %d: tokens %d to %d do not fit the model's length of %d", Index(entry.sequence),
        entry.first_position, end, model.facts().length_tokens_max));
  }
  const int pages_needed = arena.layout().PagesFor(static_cast<int>(end));
  if (entry.pages.size() < static_cast<std::size_t>(pages_needed) ||
      entry.pages.size() >
          static_cast<std::size_t>(arena.layout().PagesFor(model.facts().length_tokens_max))) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "sequence %d: %d pages for %d tokens", Index(entry.sequence), entry.pages.size(), end));
  }
  for (const PageId page : entry.pages) {
    if (Index(page) >= arena.num_pages()) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "sequence %d: page %d of %d", Index(entry.sequence), Index(page), arena.num_pages()));
    }
  }
  for (const TokenId token : entry.tokens) {
    if (token < 0 || token >= model.facts().vocab_size) {
      return absl::InvalidArgumentError(
          absl::StrFormat("sequence %d: a token id is outside the vocabulary of %d",
                          Index(entry.sequence), model.facts().vocab_size));
    }
  }
  return entry.samples ? CheckSampling(entry.sampling) : absl::OkStatus();
}

absl::Status CheckFollowers(const StepEntry& entry, int vocab_size) {
  if (entry.followers.size() > entry.tokens.size()) {
    return absl::InvalidArgumentError(absl::StrFormat("sequence %d: %d followers of %d tokens",
                                                      Index(entry.sequence), entry.followers.size(),
                                                      entry.tokens.size()));
  }
  for (const TokenId token : entry.followers) {
    if (token >= 0 && token < vocab_size) continue;
    return absl::InvalidArgumentError(
        absl::StrFormat("sequence %d: a follower is outside the vocabulary of %d",
                        Index(entry.sequence), vocab_size));
  }
  return absl::OkStatus();
}

}  // namespace

class ModelExecutor::Impl {
 public:
  Impl(const Model& model, const Backend& backend, KvArena& arena, ModelExecutorOptions options)
      : model_(model),
        arena_(arena),
        options_(std::move(options)),
        stream_(options_.threads),
        batch_(LimitsOf(model, arena, options_)),
        forward_(model.weights().NewForward(backend, arena, stream_, batch_.limits)),
        sampler_(model.facts().vocab_size, model.facts().ids_with_text),
        launched_(kInFlightMax),
        finished_(kInFlightMax) {}

  ~Impl() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    launched_.Ring();
  }

  // One token in one page: every shape of the model, once.
  absl::Status TryShapes() {
    Step step;
    const int tokens = std::min({2, options_.step_tokens_max, model_.facts().length_tokens_max});
    StepEntry entry;
    entry.tokens.assign(static_cast<std::size_t>(tokens), 0);
    entry.pages.assign(static_cast<std::size_t>(arena_.layout().PagesFor(tokens)), PageId{0});
    entry.samples = true;
    step.entries.push_back(std::move(entry));
    BATON_RETURN_IF_ERROR(CheckStep(step));
    batch_.Fill(step);
    return forward_->Run(batch_, [](int) {});
  }

  void Start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
  }

  absl::Status Launch(Step step) {
    BATON_RETURN_IF_ERROR(CheckStep(step));
    BATON_CHECK(in_flight_ < kInFlightMax);
    ++in_flight_;
    BATON_CHECK(launched_.TryPush(std::move(step)));
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<StepResult>> TryCollect() {
    if (collected_.empty()) {
      arrived_.clear();
      finished_.DrainTo(arrived_);
      for (auto& result : arrived_) collected_.push_back(std::move(result));
    }
    if (collected_.empty()) return std::optional<StepResult>();
    absl::StatusOr<StepResult> result = std::move(collected_.front());
    collected_.pop_front();
    --in_flight_;
    if (!result.ok()) return result.status();
    return std::optional<StepResult>(*std::move(result));
  }

 private:
  absl::Status CheckStep(const Step& step) const {
    if (step.empty() || step.num_tokens() > options_.step_tokens_max ||
        step.entries.size() > static_cast<std::size_t>(options_.sequences_max)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("step %d: %d tokens of %d sequences; the limits are %d and %d",
                          step.number, step.num_tokens(), step.entries.size(),
                          options_.step_tokens_max, options_.sequences_max));
    }
    for (const StepEntry& entry : step.entries) {
      BATON_RETURN_IF_ERROR(CheckEntry(entry, model_, arena_));
      BATON_RETURN_IF_ERROR(CheckFollowers(entry, model_.facts().vocab_size));
    }
    return absl::OkStatus();
  }

  void Work(const std::stop_token& stop) {
    std::vector<Step> steps;
    while (!stop.stop_requested()) {
      launched_.WaitUntil(kNever);
      steps.clear();
      launched_.DrainTo(steps);
      for (const Step& step : steps) {
        if (stop.stop_requested()) return;
        BATON_CHECK(finished_.TryPush(Compute(step)));
        if (options_.step_ready) options_.step_ready();
      }
    }
  }

  absl::StatusOr<StepResult> Compute(const Step& step) {
    batch_.Fill(step);
    BATON_RETURN_IF_ERROR(forward_->Run(batch_, [&](int layer) {
      if (options_.layer_done) options_.layer_done(step.number, layer);
    }));
    StepResult result;
    result.number = step.number;
    int row = 0;
    for (const StepEntry& entry : step.entries) {
      if (!entry.samples) continue;
      const int position = entry.first_position + static_cast<int>(entry.tokens.size());
      const std::span<const float> logits(forward_->Logits(row++),
                                          static_cast<std::size_t>(model_.facts().vocab_size));
      BATON_ASSIGN_OR_RETURN(TokenOutput output,
                             sampler_.Sample(logits, entry.sampling, position, entry.context));
      result.sampled.push_back({entry.sequence, std::move(output)});
    }
    BATON_RETURN_IF_ERROR(ScorePrompts(step, result));
    return result;
  }

  // After the samples are taken: their logits make room.
  absl::Status ScorePrompts(const Step& step, StepResult& result) {
    for (std::size_t i = 0; i < step.entries.size(); ++i) {
      const StepEntry& entry = step.entries[i];
      if (entry.followers.empty()) continue;
      BATON_ASSIGN_OR_RETURN(PromptLogprobRun run,
                             ScoreFollowers(entry, batch_.row_starts[i], model_.facts().vocab_size,
                                            batch_.limits.LogitRows(), *forward_));
      result.prompts.push_back(std::move(run));
    }
    return absl::OkStatus();
  }

  const Model& model_;
  KvArena& arena_;
  ModelExecutorOptions options_;

  // The compute thread's, once it runs.
  Stream stream_;
  Batch batch_;
  std::unique_ptr<Forward> forward_;
  Sampler sampler_;

  // Where the two threads meet. finished_ never overflows: what is in it counts as in flight.
  BoundedQueue<Step> launched_;
  BoundedQueue<absl::StatusOr<StepResult>> finished_;

  // The caller's.
  std::size_t in_flight_ = 0;
  std::vector<absl::StatusOr<StepResult>> arrived_;
  std::deque<absl::StatusOr<StepResult>> collected_;

  std::jthread thread_;  // last: ends before what it uses
};

absl::StatusOr<std::unique_ptr<ModelExecutor>> ModelExecutor::Create(const Model& model,
                                                                     const Backend& backend,
                                                                     KvArena& arena,
                                                                     ModelExecutorOptions options) {
  BATON_CHECK(options.threads >= 1 && options.step_tokens_max >= 1 && options.sequences_max >= 1);
  const KvLayout& layout = arena.layout();
  BATON_CHECK(layout == model.LayoutFor(layout.dtype, layout.tokens_per_page));
  auto impl = std::make_unique<Impl>(model, backend, arena, std::move(options));
  BATON_RETURN_IF_ERROR(impl->TryShapes());
  impl->Start();
  return std::unique_ptr<ModelExecutor>(new ModelExecutor(std::move(impl)));
}

ModelExecutor::ModelExecutor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ModelExecutor::~ModelExecutor() = default;

absl::Status ModelExecutor::Launch(Step step) { return impl_->Launch(std::move(step)); }

absl::StatusOr<std::optional<StepResult>> ModelExecutor::TryCollect() {
  return impl_->TryCollect();
}

}  // namespace baton
