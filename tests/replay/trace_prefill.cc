#include "tests/replay/trace_prefill.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace baton {
namespace {

constexpr int kBegunMax = 16;

PrefillScheduler::Options SchedulerOptions(const TraceOptions& options) {
  return {.step_tokens_max = options.step_tokens_max,
          .sequences_max = kBegunMax,
          .step_seconds_max = 1e9,  // the tokens bound it
          .page_tokens = options.page_tokens};
}

StepCost Slower(StepCost cost, double speed) {
  return {.fixed = cost.fixed / speed,
          .per_token = cost.per_token / speed,
          .per_pair = cost.per_pair / speed,
          .per_sequence = cost.per_sequence / speed};
}

}  // namespace

Duration TraceDuration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

TracePrefill::TracePrefill(EventQueue& events, const TraceOptions& options,
                           const link::Register& facts, double speed, TraceWorker::Say say,
                           Events hear)
    : events_(events),
      options_(options),
      worker_(events, options, facts, std::move(say)),
      hear_(std::move(hear)),
      speed_(speed),
      random_(options.seed ^ facts.incarnation()),
      scheduler_(SchedulerOptions(options)),
      time_(options.speeds_stated ? Slower(options.prefill_cost, speed) : options.prefill_cost) {}

void TracePrefill::Accept(const TraceJob& job) {
  worker_.OnJob(job.link);
  const SequenceId sequence{++last_sequence_};
  const int held = static_cast<int>(worker_.Held(*job.keys)) * options_.page_tokens;
  scheduler_.Add(sequence, job.prompt_tokens);
  by_request_[job.request] = sequence;
  Prompt& prompt = prompts_[sequence];
  prompt.job = job;
  prompt.expected_cached = std::min(held, job.prompt_tokens - 1);
  worker_.Expect(job.link, *job.keys, QueueTokens() * time_.cost().per_token);
  TryStep();
  Publish();
}

bool TracePrefill::Begin(Prompt& prompt) {
  const int page = options_.page_tokens;
  const auto pages = static_cast<std::size_t>((prompt.job.prompt_tokens + page - 1) / page);
  const auto cached_max = static_cast<std::size_t>((prompt.job.prompt_tokens - 1) / page);
  std::optional<TracePages> taken = worker_.Take(*prompt.job.keys, pages, cached_max);
  if (!taken) return false;
  prompt.pages = *std::move(taken);
  prompt.computed = static_cast<int>(prompt.pages.cached) * page;
  prompt.begun = true;
  scheduler_.Begin(prompt.computed);
  hear_.begun(prompt.job);
  return true;
}

void TracePrefill::TryStep() {
  if (busy_) return;
  while (const std::optional<SequenceId> next = scheduler_.NextToBegin()) {
    if (!Begin(prompts_.at(*next))) break;
  }
  const std::vector<PromptChunk> chunks = scheduler_.Plan(time_.cost());
  if (chunks.empty()) return;
  StepShape shape;
  for (const PromptChunk& chunk : chunks) shape.AddRun(chunk.first, chunk.end - chunk.first);
  const double share = static_cast<double>(random_.Below(2'000'001)) / 1e6 - 1;  // -1 to 1
  const double seconds =
      Slower(options_.prefill_cost, speed_).Seconds(shape) * (1 + options_.noise * share);
  busy_ = true;
  step_began_ = events_.now();
  step_forecast_ = time_.Seconds(shape);
  step_tokens_ = shape.tokens;
  busy_seconds_ += seconds;
  events_.After(TraceDuration(seconds),
                [this, chunks, shape, seconds] { Finish(chunks, shape, seconds); });
}

void TracePrefill::Finish(const std::vector<PromptChunk>& chunks, const StepShape& shape,
                          double seconds) {
  if (options_.speeds_stated) time_.Observe(shape, seconds);
  for (const PromptChunk& chunk : chunks) FinishChunk(chunk);
  busy_ = false;
  TryStep();
  Publish();
}

void TracePrefill::FinishChunk(const PromptChunk& chunk) {
  Prompt& prompt = prompts_.at(chunk.sequence);
  computed_tokens_ += static_cast<std::uint64_t>(chunk.end - chunk.first);
  prompt.computed = chunk.end;
  const int pages =
      chunk.last ? static_cast<int>(prompt.pages.lease.size()) : chunk.end / options_.page_tokens;
  worker_.Complete(prompt.pages, static_cast<std::size_t>(chunk.end / options_.page_tokens));
  hear_.pages_ready(prompt.job, pages);
  if (!chunk.last) return;
  prompt.done = true;
  hear_.done(prompt.job, static_cast<int>(prompt.pages.cached) * options_.page_tokens);
}

void TracePrefill::Release(std::size_t request) {
  const auto found = by_request_.find(request);
  BATON_CHECK(found != by_request_.end());
  prompts_.erase(found->second);
  by_request_.erase(found);
  TryStep();  // who waited for pages
}

double TracePrefill::QueueTokens() const {
  double tokens = 0;
  for (const auto& [sequence, prompt] : prompts_) {
    tokens += prompt.job.prompt_tokens - (prompt.begun ? prompt.computed : prompt.expected_cached);
  }
  if (!busy_ || step_forecast_ <= 0) return tokens;
  const double done = ToSeconds(events_.now() - step_began_) / step_forecast_;
  return std::max(0.0, tokens - step_tokens_ * std::min(1.0, done));
}

link::Load TracePrefill::Load() const {
  link::Load load;
  load.set_queue_requests(static_cast<std::uint32_t>(scheduler_.num_waiting()));
  load.set_queue_tokens(static_cast<std::uint64_t>(QueueTokens()));
  load.set_running_sequences(static_cast<std::uint32_t>(scheduler_.num_begun()));
  load.set_free_pages(worker_.free_pages());
  const StepCost& cost = time_.cost();
  load.set_step_seconds_fixed(cost.fixed);
  load.set_step_seconds_per_token(cost.per_token);
  load.set_step_seconds_per_pair(cost.per_pair);
  load.set_step_seconds_per_sequence(cost.per_sequence);
  load.set_step_residual_ratio(time_.residual_ratio());
  return load;
}

void TracePrefill::Publish() {
  worker_.Publish([this] { return Load(); });
}

}  // namespace baton
