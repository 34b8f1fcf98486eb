#include "tests/bench/step_rig.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <utility>

#include "base/status.h"
#include "kernels/common/float_bits.h"
#include "tests/bench/stopwatch.h"

namespace baton::bench {
namespace {

constexpr int kPageTokens = 64;
constexpr auto kStepTimeout = std::chrono::minutes(1);

// One random page, copied into all: what attention computes with must be numbers, and no two pages
// may share their memory.
void FillPages(KvArena& arena, std::mt19937& random) {
  std::uniform_real_distribution<float> value(-1.0F, 1.0F);
  const std::span<std::byte> first = arena.Page(PageId{0});
  auto* words = reinterpret_cast<std::uint16_t*>(first.data());
  for (std::size_t i = 0; i < first.size() / sizeof(*words); ++i) {
    words[i] = FloatToBf16(value(random));
  }
  for (std::uint32_t page = 1; page < arena.num_pages(); ++page) {
    std::memcpy(arena.Page(PageId{page}).data(), first.data(), first.size());
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<StepRig>> StepRig::Open(const Model& model, const Backend& backend,
                                                       int threads,
                                                       const std::vector<StepSize>& sizes) {
  const KvLayout layout = model.LayoutFor(DType::kBf16, kPageTokens);
  int pages = 1;
  ModelExecutorOptions options;
  options.threads = threads;
  options.step_tokens_max = 2;
  options.sequences_max = 1;
  for (const StepSize& size : sizes) {
    pages = std::max(pages, size.sequences * layout.PagesFor(size.context + size.rows));
    options.step_tokens_max = std::max(options.step_tokens_max, size.sequences * size.rows);
    options.sequences_max = std::max(options.sequences_max, size.sequences);
  }
  std::unique_ptr<StepRig> rig(new StepRig(model.facts().vocab_size));
  BATON_ASSIGN_OR_RETURN(rig->arena_, KvArena::Create(layout, static_cast<std::uint32_t>(pages)));
  std::mt19937 random(11);
  FillPages(*rig->arena_, random);
  for (int page = 0; page < pages; ++page) {
    rig->pages_.push_back(PageId{static_cast<std::uint32_t>(page)});
  }
  std::shuffle(rig->pages_.begin(), rig->pages_.end(), random);
  options.step_ready = [rig = rig.get()] { rig->ready_.Ring(); };
  BATON_ASSIGN_OR_RETURN(rig->executor_,
                         ModelExecutor::Create(model, backend, *rig->arena_, std::move(options)));
  return rig;
}

Step StepRig::MakeStep(const StepSize& size) {
  Step step;
  step.number = next_number_++;
  const int pages = arena_->layout().PagesFor(size.context + size.rows);
  auto page = pages_.begin();
  for (int s = 0; s < size.sequences; ++s) {
    StepEntry entry;
    entry.sequence = SequenceId{static_cast<std::uint64_t>(s)};
    entry.first_position = size.context;
    for (int row = 0; row < size.rows; ++row) {
      entry.tokens.push_back((s * 7919 + row * 104729 + static_cast<int>(step.number)) % vocab_);
    }
    entry.pages.assign(page, page + pages);
    page += pages;
    entry.samples = true;
    step.entries.push_back(std::move(entry));
  }
  return step;
}

absl::StatusOr<double> StepRig::Run(const StepSize& size) {
  Step step = MakeStep(size);
  const Stopwatch watch(Clock::kWall);
  BATON_RETURN_IF_ERROR(executor_->Launch(std::move(step)));
  const Instant deadline = std::chrono::steady_clock::now() + kStepTimeout;
  while (std::chrono::steady_clock::now() < deadline) {
    BATON_ASSIGN_OR_RETURN(const std::optional<StepResult> result, executor_->TryCollect());
    if (result.has_value()) return watch.Seconds();
    ready_.WaitUntil(deadline);
  }
  return absl::DeadlineExceededError("a step took more than a minute");
}

}  // namespace baton::bench
