#include "tests/replay/trace_decode.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "tests/replay/trace_prefill.h"

namespace baton {
namespace {

constexpr int kStepTokensMax = 2048;
constexpr int kSequencesMax = 256;
constexpr double kWatermark = 0.05;  // of the pool, kept out of promises
constexpr double kInboundMax = 0.25;

PageBudget::Options BudgetOptions(std::uint32_t pages) {
  return {.watermark_pages = static_cast<std::uint32_t>(kWatermark * pages),
          .inbound_pages_max = static_cast<std::uint32_t>(kInboundMax * pages)};
}

}  // namespace

TraceDecode::TraceDecode(EventQueue& events, const TraceOptions& options,
                         const link::Register& facts, TraceWorker::Say say, Events hear)
    : events_(events),
      options_(options),
      worker_(events, options, facts, std::move(say)),
      hear_(std::move(hear)),
      random_(options.seed ^ facts.incarnation()),
      budget_(worker_.pool(), BudgetOptions(facts.pages())),
      time_(options.decode_cost) {}

void TraceDecode::Offer(const TraceJob& job) {
  const SequenceId id{++last_sequence_};
  by_request_[job.request] = id;
  Sequence& sequence = sequences_[id];
  sequence.job = job;
  sequence.known = job.prompt_tokens;
  sequence.left = job.output_tokens;
  waiting_.push_back(id);
  Admit();
  Publish();
}

void TraceDecode::Accept(const TraceJob& job) {
  Offer(job);
  TryStep();
}

// First come, first served: who waits is not overtaken for ever.
void TraceDecode::Admit() {
  while (!waiting_.empty() && sequences_.size() - waiting_.size() < kSequencesMax &&
         TryAdmit(sequences_.at(waiting_.front()))) {
    waiting_.pop_front();
  }
}

bool TraceDecode::TryAdmit(Sequence& sequence) {
  const int page = options_.page_tokens;
  const TraceJob& job = sequence.job;
  sequence.local = job.prefill < 0;
  const auto pages = static_cast<std::size_t>((job.prompt_tokens + page - 1) / page);
  const auto most = static_cast<std::size_t>((job.prompt_tokens - (sequence.local ? 1 : 0)) / page);
  const std::size_t held = std::min(worker_.Held(*job.keys), most);
  const int end = job.prompt_tokens + job.output_tokens;
  const auto growth =
      static_cast<std::uint32_t>(static_cast<std::size_t>((end + page - 1) / page) - pages);
  const auto fresh = static_cast<std::uint32_t>(pages - held);
  if (!budget_.Fits(fresh, growth) || (!sequence.local && !budget_.MayLend(fresh))) return false;
  std::optional<TracePages> taken = worker_.Take(*job.keys, pages, most);
  if (!taken) return false;
  sequence.pages = *std::move(taken);
  sequence.promised = growth;
  budget_.Promise(growth);
  sequence.computed = static_cast<int>(sequence.pages.cached) * page;
  if (sequence.local) {
    sequence.running = true;
    running_.push_back(by_request_.at(job.request));
  } else {
    budget_.Lend(fresh);
    hear_.granted(job, static_cast<int>(fresh));
  }
  return true;
}

void TraceDecode::Commit(std::size_t request) {
  const SequenceId id = by_request_.at(request);
  Sequence& sequence = sequences_.at(id);
  budget_.Unlend(static_cast<std::uint32_t>(sequence.pages.lease.size() - sequence.pages.cached));
  worker_.Complete(sequence.pages, sequence.pages.keys.size());
  sequence.computed = sequence.job.prompt_tokens;
  sequence.known = sequence.computed;
  sequence.running = true;
  running_.push_back(id);
  Token(sequence);  // the first one came along
  if (sequence.left == 0) End(id);
  Admit();
  TryStep();
  Publish();
}

// A token is known: it is the next step's input.
void TraceDecode::Token(Sequence& sequence) {
  if (sequence.tokens > 0) {
    const double gap = ToSeconds(events_.now() - sequence.last_token);
    sequence.itl_sum += gap;
    sequence.itl_max = std::max(sequence.itl_max, gap);
  }
  ++sequence.tokens;
  ++sequence.known;
  --sequence.left;
  sequence.last_token = events_.now();
}

bool TraceDecode::Grow(Sequence& sequence) {
  const int page = options_.page_tokens;
  while (static_cast<int>(sequence.pages.lease.size()) * page < sequence.known) {
    absl::StatusOr<PageLease> more = worker_.pool().Acquire(1);
    if (!more.ok()) return false;
    sequence.pages.lease.Append(*std::move(more));
    BATON_CHECK(sequence.promised > 0);
    --sequence.promised;
    budget_.Redeem(1);
  }
  return true;
}

void TraceDecode::TryStep() {
  if (busy_ || running_.empty()) return;
  std::vector<DecodeCandidate> candidates;
  for (const SequenceId id : running_) {
    Sequence& sequence = sequences_.at(id);
    BATON_CHECK(Grow(sequence));  // the whole growth was promised
    candidates.push_back({id, sequence.computed, sequence.known});
  }
  const std::vector<DecodeRun> runs = PlanDecodeStep(
      candidates, {.step_tokens_max = kStepTokensMax, .page_tokens = options_.page_tokens});
  StepShape shape;
  for (const DecodeRun& run : runs) shape.AddRun(run.first, run.end - run.first);
  const double share = static_cast<double>(random_.Below(2'000'001)) / 1e6 - 1;  // -1 to 1
  const double seconds = options_.decode_cost.Seconds(shape) * (1 + options_.noise * share);
  busy_ = true;
  busy_seconds_ += seconds;
  events_.After(TraceDuration(seconds),
                [this, runs, shape, seconds] { Finish(runs, shape, seconds); });
}

void TraceDecode::Finish(const std::vector<DecodeRun>& runs, const StepShape& shape,
                         double seconds) {
  time_.Observe(shape, seconds);
  std::vector<SequenceId> over;
  for (const DecodeRun& run : runs) {
    Sequence& sequence = sequences_.at(run.sequence);
    sequence.computed = run.end;
    if (sequence.pages.complete < sequence.pages.keys.size()) {
      worker_.Complete(sequence.pages, static_cast<std::size_t>(run.end / options_.page_tokens));
    }
    if (!run.samples) continue;
    const bool first = sequence.tokens == 0;
    Token(sequence);
    const int cached = static_cast<int>(sequence.pages.cached) * options_.page_tokens;
    if (first && sequence.local) hear_.first(sequence.job, cached);
    if (sequence.left == 0) over.push_back(run.sequence);
  }
  for (const SequenceId id : over) End(id);
  busy_ = false;
  Admit();
  TryStep();
  Publish();
}

void TraceDecode::End(SequenceId id) {
  const auto found = sequences_.find(id);
  Sequence& sequence = found->second;
  budget_.Redeem(sequence.promised);
  std::erase(running_, id);
  const double gaps = std::max(1, sequence.tokens - 1);
  hear_.finished(sequence.job, sequence.itl_max, sequence.itl_sum / gaps);
  by_request_.erase(sequence.job.request);
  sequences_.erase(found);
}

link::Load TraceDecode::Load() const {
  std::uint64_t tokens = 0;
  for (const auto& [id, sequence] : sequences_) {
    if (sequence.job.prefill >= 0 || sequence.tokens > 0) continue;
    tokens += static_cast<std::uint64_t>(sequence.job.prompt_tokens - sequence.computed);
  }
  link::Load load;
  load.set_queue_requests(static_cast<std::uint32_t>(waiting_.size()));
  load.set_queue_tokens(tokens);
  load.set_running_sequences(static_cast<std::uint32_t>(running_.size()));
  load.set_free_pages(worker_.free_pages());
  load.set_promised_pages(budget_.promised());
  const StepCost& cost = time_.cost();
  load.set_step_seconds_fixed(cost.fixed);
  load.set_step_seconds_per_token(cost.per_token);
  load.set_step_seconds_per_pair(cost.per_pair);
  load.set_step_seconds_per_sequence(cost.per_sequence);
  load.set_step_residual_ratio(time_.residual_ratio());
  return load;
}

void TraceDecode::Publish() {
  worker_.Publish([this] { return Load(); });
}

}  // namespace baton
