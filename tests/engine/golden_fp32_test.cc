// fp32 arithmetic against torch: logits within 1e-3, every greedy id equal
// (tests/golden/README.md). The label `full` runs the reference backend on every prompt; `quick` on
// the short ones.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/generate.h"
#include "tests/engine/forward_runner.h"
#include "tests/engine/golden_scope.h"
#include "tests/engine/golden_values.h"

namespace baton {
namespace {

using testing::ForwardRunner;
using testing::GoldenPrompt;
using testing::GoldenValues;
using testing::kEveryLength;
using testing::LengthMax;

constexpr float kTolerance = 1e-3F;
constexpr int kGreedySteps = 48;

class GoldenFp32Test : public ::testing::TestWithParam<const char*> {};

void CheckLogits(const Model& model, const Backend& backend, const GoldenValues& golden,
                 std::size_t length_max) {
  ForwardRunner runner(model, backend, model.facts().length_tokens_max);
  for (const GoldenPrompt& prompt : golden.prompts()) {
    if (prompt.ids.size() > length_max) continue;
    runner.Restart();
    const std::vector<float> logits = runner.Feed(prompt.ids);
    const std::vector<float> expected = golden.Floats(prompt.name + ".logits");
    ASSERT_EQ(logits.size(), expected.size());
    for (std::size_t i = 0; i < logits.size(); ++i) {
      ASSERT_NEAR(logits[i], expected[i], kTolerance) << backend.name << " " << prompt.name;
    }
  }
}

void CheckGreedy(const Model& model, const Backend& backend, const GoldenValues& golden,
                 std::size_t length_max) {
  GeneratorOptions options;
  options.threads = 2;
  options.kv_dtype = DType::kF32;
  auto generator = Generator::Create(model, backend, options);
  ASSERT_TRUE(generator.ok()) << generator.status();
  SamplingParams greedy;
  greedy.temperature = 0;
  greedy.logprobs = 0;
  StopRule stop;
  stop.max_tokens = kGreedySteps;
  for (const GoldenPrompt& prompt : golden.prompts()) {
    if (prompt.ids.size() > length_max) continue;
    const auto generation = (*generator)->Generate(prompt.ids, greedy, stop);
    ASSERT_TRUE(generation.ok()) << generation.status();
    ASSERT_EQ(generation->outputs.size(), prompt.greedy.size());
    const std::vector<float> logprobs = golden.Floats(prompt.name + ".greedy_logprob");
    for (std::size_t i = 0; i < prompt.greedy.size(); ++i) {
      ASSERT_EQ(generation->outputs[i].token, prompt.greedy[i]) << prompt.name << " step " << i;
      ASSERT_NEAR(generation->outputs[i].logprob, logprobs[i], kTolerance) << prompt.name;
    }
  }
}

TEST_P(GoldenFp32Test, TheReferenceGivesTorchsLogitsAndIds) {
  const auto model = GoldenValues::Load(GetParam(), "float32");
  ASSERT_NE(model, nullptr);
  const GoldenValues golden(GetParam());
  CheckLogits(*model, ReferenceBackend(), golden, LengthMax({65, 300, kEveryLength}));
  CheckGreedy(*model, ReferenceBackend(), golden, LengthMax({7, 65, kEveryLength}));
}

TEST_P(GoldenFp32Test, TheCpuGivesTorchsLogitsAndIds) {
  const Backend* cpu = CpuBackend("auto");
  if (cpu == nullptr) GTEST_SKIP() << "this machine has no vector level that the CPU backend needs";
  const auto model = GoldenValues::Load(GetParam(), "float32");
  ASSERT_NE(model, nullptr);
  const GoldenValues golden(GetParam());
  CheckLogits(*model, *cpu, golden, LengthMax({300, kEveryLength, kEveryLength}));
  CheckGreedy(*model, *cpu, golden, LengthMax({130, kEveryLength, kEveryLength}));
}

TEST_P(GoldenFp32Test, FactsAreThoseOfTheDirectory) {
  const auto model = GoldenValues::Load(GetParam(), "auto");
  ASSERT_NE(model, nullptr);
  const GoldenValues golden(GetParam());
  EXPECT_EQ(model->facts().name, GetParam());
  EXPECT_EQ(model->facts().activation, DType::kBf16);
  EXPECT_EQ(model->facts().vocab_size, golden.Number({"vocab_size"}));
  EXPECT_EQ(model->facts().ids_with_text, golden.Number({"ids_with_text"}));
  EXPECT_EQ(model->facts().bos, golden.IdOr("bos_token_id", -1));
  EXPECT_EQ(model->facts().end_tokens, golden.SortedIds("eos_token_ids"));
  EXPECT_EQ(model->facts().revision.size(), 64U);
}

INSTANTIATE_TEST_SUITE_P(, GoldenFp32Test,
                         ::testing::Values("v2_lite", "v2_group", "v2_mscales", "v3", "v3_fp8",
                                           "llama3", "qwen2", "qwen3"));

}  // namespace
}  // namespace baton
