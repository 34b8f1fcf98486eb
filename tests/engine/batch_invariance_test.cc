// A row's bits depend on its own tokens alone: end to end, through the executor, to the last bit of
// every log-probability of the vocabulary.
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/bounded_queue.h"
#include "engine/load_model.h"
#include "engine/model_executor.h"
#include "tests/engine/recall_prompt.h"

namespace baton {
namespace {

using testing::MakeRecallPrompt;
using testing::RecallTokens;

constexpr int kPageTokens = 64;
constexpr int kPages = 64;

const Backend& BackendUnderTest() {
  const Backend* cpu = CpuBackend("auto");
  return cpu != nullptr ? *cpu : ReferenceBackend();
}

// An executor with an arena, and steps run one by one.
class Worker {
 public:
  Worker(const Model& model, DType kv_dtype, const Backend& backend, int threads) : ready_(1) {
    auto arena = KvArena::Create(model.LayoutFor(kv_dtype, kPageTokens), kPages);
    EXPECT_TRUE(arena.ok());
    arena_ = *std::move(arena);
    ModelExecutorOptions options;
    options.threads = threads;
    options.step_tokens_max = 1024;
    options.sequences_max = 8;
    options.step_ready = [this] { ready_.Ring(); };
    options.layer_done = [this](std::uint64_t step, int layer) { layers_[step].push_back(layer); };
    auto executor = ModelExecutor::Create(model, backend, *arena_, std::move(options));
    EXPECT_TRUE(executor.ok()) << executor.status();
    executor_ = *std::move(executor);
  }

  std::vector<SampledToken> Run(std::vector<StepEntry> entries) {
    Step step;
    step.number = ++number_;
    step.entries = std::move(entries);
    const absl::Status launched = executor_->Launch(std::move(step));
    EXPECT_TRUE(launched.ok()) << launched;
    for (int wait = 0; wait < 600; ++wait) {
      auto result = executor_->TryCollect();
      EXPECT_TRUE(result.ok()) << result.status();
      if (!result.ok()) return {};
      if (result->has_value()) return (**result).sampled;
      ready_.WaitUntil(std::chrono::steady_clock::now() + Milliseconds(100));
    }
    ADD_FAILURE() << "the step did not end";
    return {};
  }

  ModelExecutor& executor() { return *executor_; }
  KvArena& arena() { return *arena_; }
  /// Read only while no step runs.
  std::map<std::uint64_t, std::vector<int>>& layers() { return layers_; }

 private:
  BoundedQueue<int> ready_;
  std::unique_ptr<KvArena> arena_;
  std::map<std::uint64_t, std::vector<int>> layers_;
  std::uint64_t number_ = 0;
  std::unique_ptr<ModelExecutor> executor_;
};

struct InvarianceCase {
  const char* model;
  DType kv_dtype;
};

class BatchInvarianceTest : public ::testing::TestWithParam<InvarianceCase> {
 protected:
  void SetUp() override {
    ModelConfig config;
    const char* name = GetParam().model;
    const bool builtin = absl::StartsWith(name, "builtin:");
    config.path = builtin ? name : absl::StrCat(BATON_SOURCE_DIR "/tests/golden/models/", name);
    auto model = LoadModel(config);
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
    tokens_ = RecallTokens(MakeRecallPrompt(60, 5).Text());
    tokens_.resize(700);
    if (builtin) return;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      tokens_[i] = static_cast<TokenId>((i * i * 31 + i * 7 + 3) % 701);
    }
  }

  // The run [first, last) of tokens_, in pages that begin at `page`.
  StepEntry Entry(std::size_t first, std::size_t last, int page) const {
    StepEntry entry;
    entry.sequence = SequenceId(static_cast<std::uint64_t>(page));
    entry.first_position = static_cast<int>(first);
    entry.tokens.assign(tokens_.begin() + static_cast<std::ptrdiff_t>(first),
                        tokens_.begin() + static_cast<std::ptrdiff_t>(last));
    for (std::size_t i = 0; i * kPageTokens < last; ++i) {
      entry.pages.push_back(
          PageId(static_cast<std::uint32_t>(page) + static_cast<std::uint32_t>(i)));
    }
    entry.samples = true;
    entry.sampling.temperature = 0;
    entry.sampling.logprobs = model_->facts().vocab_size;
    return entry;
  }

  // The answer after all tokens, the prompt cut into chunks.
  TokenOutput InChunks(Worker& worker, std::size_t chunk, int page) const {
    TokenOutput last;
    for (std::size_t first = 0; first < tokens_.size(); first += chunk) {
      const std::size_t end = std::min(first + chunk, tokens_.size());
      const auto sampled = worker.Run({Entry(first, end, page)});
      if (sampled.size() == 1) last = sampled[0].output;
    }
    return last;
  }

  std::unique_ptr<Model> model_;
  std::vector<TokenId> tokens_;
};

TEST_P(BatchInvarianceTest, ChunkBordersMoveNoBit) {
  Worker worker(*model_, GetParam().kv_dtype, BackendUnderTest(), 2);
  const TokenOutput whole = InChunks(worker, 1024, 0);
  ASSERT_EQ(whole.top.size(), static_cast<std::size_t>(model_->facts().vocab_size));
  for (const std::size_t chunk : {64u, 128u, 512u, 37u, 699u}) {
    EXPECT_EQ(InChunks(worker, chunk, 20), whole) << "chunks of " << chunk;
  }
}

TEST_P(BatchInvarianceTest, DecodingTokenByTokenGivesTheBitsOfPrefill) {
  Worker worker(*model_, GetParam().kv_dtype, BackendUnderTest(), 2);
  tokens_.resize(190);
  const std::size_t first = 120;
  worker.Run({Entry(0, first, 0)});
  for (std::size_t i = first; i < tokens_.size(); ++i) {
    const auto decoded = worker.Run({Entry(i, i + 1, 0)});
    const auto prefilled = worker.Run({Entry(0, i + 1, 20)});
    ASSERT_EQ(decoded.size(), 1U);
    ASSERT_EQ(decoded[0].output, prefilled[0].output) << "position " << i;
  }
}

TEST_P(BatchInvarianceTest, ThePlainLoopsKeepTheSamePromise) {
  Worker worker(*model_, GetParam().kv_dtype, ReferenceBackend(), 2);
  tokens_.resize(80);
  const TokenOutput whole = InChunks(worker, 80, 0);
  EXPECT_EQ(InChunks(worker, 37, 20), whole);
  worker.Run({Entry(0, 78, 40)});
  worker.Run({Entry(78, 79, 40)});
  const auto decoded = worker.Run({Entry(5, 6, 20), Entry(79, 80, 40)});
  ASSERT_EQ(decoded.size(), 2U);
  EXPECT_EQ(decoded[1].output, whole);
}

TEST_P(BatchInvarianceTest, NeighboursAndPlaceInTheBatchMoveNoBit) {
  Worker worker(*model_, GetParam().kv_dtype, BackendUnderTest(), 2);
  const auto alone = worker.Run({Entry(0, 300, 0)});
  const auto mixed = worker.Run({Entry(0, 90, 30), Entry(0, 300, 12), Entry(0, 1, 40)});
  ASSERT_EQ(mixed.size(), 3U);
  EXPECT_EQ(mixed[1].output, alone[0].output);
  const auto step = worker.Run({Entry(300, 301, 12), Entry(90, 131, 30), Entry(1, 2, 40)});
  const auto whole = worker.Run({Entry(0, 301, 0)});
  EXPECT_EQ(step[0].output, whole[0].output);
}

TEST_P(BatchInvarianceTest, ThreadsMoveNoBit) {
  Worker one(*model_, GetParam().kv_dtype, BackendUnderTest(), 1);
  Worker three(*model_, GetParam().kv_dtype, BackendUnderTest(), 3);
  EXPECT_EQ(InChunks(one, 512, 0), InChunks(three, 512, 0));
}

TEST_P(BatchInvarianceTest, PagesOfOnePrefixServeTwoSequences) {
  Worker worker(*model_, GetParam().kv_dtype, BackendUnderTest(), 2);
  worker.Run({Entry(0, 128, 0)});
  StepEntry shared = Entry(128, 200, 0);
  shared.pages[2] = PageId(50);
  shared.pages[3] = PageId(51);
  const auto hit = worker.Run({Entry(128, 200, 0), shared});
  const auto whole = worker.Run({Entry(0, 200, 20)});
  EXPECT_EQ(hit[0].output, whole[0].output);
  EXPECT_EQ(hit[1].output, whole[0].output);
}

TEST_P(BatchInvarianceTest, ADamagedPageChangesTheAnswer) {
  Worker worker(*model_, GetParam().kv_dtype, BackendUnderTest(), 2);
  worker.Run({Entry(0, 300, 0)});
  const auto before = worker.Run({Entry(300, 301, 0)});
  for (std::byte& byte : worker.arena().Page(PageId{2})) byte = std::byte{0};
  const auto after = worker.Run({Entry(300, 301, 0)});
  EXPECT_NE(before[0].output, after[0].output);
}

TEST_P(BatchInvarianceTest, EveryLayerIsAnnouncedOnceAndInOrder) {
  Worker worker(*model_, GetParam().kv_dtype, BackendUnderTest(), 1);
  worker.Run({Entry(0, 10, 0)});
  worker.Run({Entry(10, 11, 0)});
  std::vector<int> all(static_cast<std::size_t>(worker.arena().layout().num_layers));
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(worker.layers()[1], all);
  EXPECT_EQ(worker.layers()[2], all);
}

TEST_P(BatchInvarianceTest, AStepThatDoesNotFitIsRefusedAndNothingRuns) {
  Worker worker(*model_, GetParam().kv_dtype, BackendUnderTest(), 1);
  const auto code = [&](StepEntry entry) {
    Step step;
    step.entries.push_back(std::move(entry));
    return worker.executor().Launch(std::move(step)).code();
  };
  StepEntry outside = Entry(0, 10, 0);
  outside.tokens[3] = model_->facts().vocab_size;
  EXPECT_EQ(code(outside), absl::StatusCode::kInvalidArgument);
  StepEntry negative = Entry(0, 10, 0);
  negative.tokens[3] = -1;
  EXPECT_EQ(code(negative), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Entry(0, 10, kPages)), absl::StatusCode::kInvalidArgument);
  StepEntry short_table = Entry(0, 100, 0);
  short_table.pages.pop_back();
  EXPECT_EQ(code(short_table), absl::StatusCode::kInvalidArgument);
  StepEntry long_run = Entry(0, 10, 0);
  long_run.first_position = model_->facts().length_tokens_max - 2;
  EXPECT_EQ(code(long_run), absl::StatusCode::kInvalidArgument);
  StepEntry cold = Entry(0, 10, 0);
  cold.sampling.temperature = -1;
  EXPECT_EQ(code(cold), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(worker.executor().Launch(Step()).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(worker.Run({Entry(0, 10, 0)}).size(), 1U);
}

// Pages of latents, of heads, and of heads that are normalised.
INSTANTIATE_TEST_SUITE_P(, BatchInvarianceTest,
                         ::testing::Values(InvarianceCase{"builtin:recall-nano", DType::kBf16},
                                           InvarianceCase{"builtin:recall-nano", DType::kFp8E4m3},
                                           InvarianceCase{"llama3", DType::kBf16},
                                           InvarianceCase{"llama3", DType::kFp8E4m3},
                                           InvarianceCase{"qwen3", DType::kF16}));

}  // namespace
}  // namespace baton
