#include "tests/testing/fake_executor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace baton {
namespace {

constexpr int kWords = 2;  // of 64 bits: a layer's row of a token

std::uint64_t Mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
  return hash ^ (hash >> 29);
}

std::byte* Row(const KvArena& arena, const StepEntry& entry, int position, int layer) {
  const KvLayout& layout = arena.layout();
  const auto page = static_cast<std::size_t>(position / layout.tokens_per_page);
  const auto row = static_cast<std::size_t>(position % layout.tokens_per_page);
  return arena.Page(entry.pages.at(page)).data() +
         static_cast<std::size_t>(layer) * layout.LayerBytes() + row * layout.TokenBytes();
}

std::uint64_t HashRow(const KvArena& arena, const StepEntry& entry, int position,
                      std::uint64_t hash) {
  for (int layer = 0; layer < arena.layout().num_layers; ++layer) {
    std::uint64_t words[kWords];
    std::memcpy(words, Row(arena, entry, position, layer), sizeof(words));
    for (const std::uint64_t word : words) hash = Mix(hash, word);
  }
  return hash;
}

void WriteRow(const KvArena& arena, const StepEntry& entry, int position, TokenId token) {
  const std::uint64_t before = position == 0 ? 0x5eed : HashRow(arena, entry, position - 1, 1);
  std::uint64_t hash = Mix(before, static_cast<std::uint64_t>(token) + 1);
  for (int layer = 0; layer < arena.layout().num_layers; ++layer) {
    std::uint64_t words[kWords];
    for (std::uint64_t& word : words) word = hash = Mix(hash, static_cast<std::uint64_t>(layer));
    std::memcpy(Row(arena, entry, position, layer), words, sizeof(words));
  }
}

TokenOutput Sample(const KvArena& arena, const StepEntry& entry) {
  const int length = entry.first_position + static_cast<int>(entry.tokens.size());
  std::uint64_t hash = Mix(entry.sampling.seed, static_cast<std::uint64_t>(length));
  for (int position = 0; position < length; ++position) {
    hash = HashRow(arena, entry, position, hash);
  }
  TokenOutput output;
  output.token = static_cast<TokenId>(hash % kFakeVocabulary);
  if (entry.sampling.logprobs >= 0) output.logprob = -static_cast<float>(hash % 97) / 16;
  return output;
}

// From the row before each follower, which holds a chain over all tokens so far.
PromptLogprobRun Score(const KvArena& arena, const StepEntry& entry) {
  PromptLogprobRun run{
      .sequence = entry.sequence, .first_position = entry.first_position + 1, .tokens = {}};
  for (std::size_t i = 0; i < entry.followers.size(); ++i) {
    const int position = entry.first_position + static_cast<int>(i);
    const std::uint64_t hash =
        Mix(HashRow(arena, entry, position, 1), static_cast<std::uint64_t>(entry.followers[i]));
    run.tokens.push_back({.token = entry.followers[i],
                          .logprob = -static_cast<float>(hash % 97) / 16,
                          .rank = 1 + static_cast<int>(hash % kFakeVocabulary),
                          .top = {}});
  }
  return run;
}

}  // namespace

KvLayout FakeLayout(int tokens_per_page) {
  return {.num_layers = 2,
          .tokens_per_page = tokens_per_page,
          .latent_dim = 3,
          .rope_dim = 1,
          .dtype = DType::kF32};
}

absl::Status FakeExecutor::Launch(Step step) {
  if (lost_) return absl::InternalError("the device is lost");
  BATON_CHECK(static_cast<int>(running_.size()) < options_.max_in_flight);
  free_at_ = std::max(free_at_, now_) + options_.step_time;
  launched_.push_back(step);
  running_.push_back({.step = std::move(step), .due = free_at_});
  return absl::OkStatus();
}

absl::StatusOr<std::optional<StepResult>> FakeExecutor::TryCollect() {
  if (lost_) return absl::InternalError("the device is lost");
  if (running_.empty() || !running_.front().result.has_value()) return std::nullopt;
  StepResult result = *std::move(running_.front().result);
  running_.pop_front();
  return result;
}

void FakeExecutor::Advance(Instant now) {
  now_ = now;
  for (Running& running : running_) {
    if (running.due <= now && !running.result.has_value()) Compute(running);
  }
}

Instant FakeExecutor::due() const {
  for (const Running& running : running_) {
    if (!running.result.has_value()) return running.due;
  }
  return kNever;
}

void FakeExecutor::Compute(Running& running) {
  running.result = StepResult{.number = running.step.number, .prompts = {}, .sampled = {}};
  for (const StepEntry& entry : running.step.entries) {
    for (std::size_t i = 0; i < entry.tokens.size(); ++i) {
      WriteRow(arena_, entry, entry.first_position + static_cast<int>(i), entry.tokens[i]);
    }
    if (!entry.followers.empty()) running.result->prompts.push_back(Score(arena_, entry));
    if (entry.samples) {
      running.result->sampled.push_back({entry.sequence, Sample(arena_, entry)});
    }
  }
  if (!options_.layer_done) return;
  for (int layer = 0; layer < arena_.layout().num_layers; ++layer) {
    options_.layer_done(running.step.number, layer);
  }
}

std::vector<PromptLogprob> FakePromptLogprobs(const std::vector<TokenId>& prompt) {
  const std::unique_ptr<KvArena> arena =
      *KvArena::Create(FakeLayout(static_cast<int>(prompt.size())), 1);
  StepEntry entry;
  entry.tokens = prompt;
  entry.pages = {PageId{0}};
  entry.followers.assign(prompt.begin() + 1, prompt.end());
  for (std::size_t i = 0; i < prompt.size(); ++i) {
    WriteRow(*arena, entry, static_cast<int>(i), prompt[i]);
  }
  return Score(*arena, entry).tokens;
}

std::vector<TokenOutput> FakeAnswer(const std::vector<TokenId>& prompt,
                                    const SamplingParams& sampling, const StopRule& stop) {
  const int length = static_cast<int>(prompt.size()) + stop.max_tokens;
  const KvLayout layout = FakeLayout(length);
  const std::unique_ptr<KvArena> arena = *KvArena::Create(layout, 1);
  StepEntry entry{.sequence = {},
                  .first_position = 0,
                  .tokens = prompt,
                  .pages = {PageId{0}},
                  .samples = true,
                  .sampling = sampling,
                  .context = {},
                  .followers = {}};
  std::vector<TokenOutput> outputs;
  while (true) {
    for (std::size_t i = 0; i < entry.tokens.size(); ++i) {
      WriteRow(*arena, entry, entry.first_position + static_cast<int>(i), entry.tokens[i]);
    }
    outputs.push_back(Sample(*arena, entry));
    const TokenId token = outputs.back().token;
    if (stop.After(static_cast<int>(outputs.size()), token) != FinishReason::kNone) return outputs;
    entry.first_position += static_cast<int>(entry.tokens.size());
    entry.tokens = {token};
  }
}

}  // namespace baton
