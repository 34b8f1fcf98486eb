// What the model gives to a prompt's own tokens: torch's values, the same bits wherever the prompt
// is cut, and ranks that agree with the values.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/generate.h"
#include "engine/logprobs.h"
#include "tests/engine/golden_values.h"

namespace baton {
namespace {

using testing::GoldenPrompt;
using testing::GoldenValues;

constexpr float kTolerance = 1e-3F;

std::vector<PromptLogprob> Score(const Model& model, const Backend& backend,
                                 const std::vector<TokenId>& prompt, int chunk, int alternatives) {
  GeneratorOptions options;
  options.threads = 2;
  options.chunk_tokens = chunk;
  options.kv_dtype = model.facts().activation;
  auto generator = Generator::Create(model, backend, options);
  EXPECT_TRUE(generator.ok()) << generator.status();
  SamplingParams sampling;
  sampling.temperature = 0;
  sampling.prompt_logprobs = alternatives;
  StopRule stop;
  stop.max_tokens = 1;
  auto generation = (*generator)->Generate(prompt, sampling, stop);
  EXPECT_TRUE(generation.ok()) << generation.status();
  return generation.ok() ? generation->prompt : std::vector<PromptLogprob>();
}

const GoldenPrompt& PromptNamed(const GoldenValues& golden, const std::string& name) {
  for (const GoldenPrompt& prompt : golden.prompts()) {
    if (prompt.name == name) return prompt;
  }
  ADD_FAILURE() << name;
  return golden.prompts().front();
}

class PromptLogprobsTest : public ::testing::TestWithParam<const char*> {};

TEST_P(PromptLogprobsTest, EachIsTorchs) {
  const auto model = GoldenValues::Load(GetParam(), "float32");
  ASSERT_NE(model, nullptr);
  const GoldenValues golden(GetParam());
  const GoldenPrompt& prompt = PromptNamed(golden, "p65");
  const std::vector<float> expected = golden.Floats("p65.prompt_logprobs");
  const auto scored = Score(*model, ReferenceBackend(), prompt.ids, 24, 0);
  ASSERT_EQ(scored.size(), expected.size());
  ASSERT_EQ(scored.size() + 1, prompt.ids.size());
  for (std::size_t i = 0; i < scored.size(); ++i) {
    EXPECT_EQ(scored[i].token, prompt.ids[i + 1]);
    EXPECT_NEAR(scored[i].logprob, expected[i], kTolerance) << i;
    EXPECT_TRUE(scored[i].top.empty());
  }
}

TEST_P(PromptLogprobsTest, ChunkBordersMoveNoBit) {
  const auto model = GoldenValues::Load(GetParam(), "auto");
  ASSERT_NE(model, nullptr);
  const GoldenValues golden(GetParam());
  std::vector<TokenId> prompt = PromptNamed(golden, "p300").ids;
  prompt.resize(140);
  const Backend* cpu = CpuBackend("auto");
  const Backend& backend = cpu != nullptr ? *cpu : ReferenceBackend();
  const auto whole = Score(*model, backend, prompt, 512, 3);
  ASSERT_EQ(whole.size(), 139U);
  for (const int chunk : {1, 17, 64, 139}) {
    EXPECT_EQ(Score(*model, backend, prompt, chunk, 3), whole) << "chunks of " << chunk;
  }
}

TEST_P(PromptLogprobsTest, RanksAndAlternativesAgree) {
  const auto model = GoldenValues::Load(GetParam(), "auto");
  ASSERT_NE(model, nullptr);
  const GoldenValues golden(GetParam());
  const auto scored = Score(*model, ReferenceBackend(), PromptNamed(golden, "p65").ids, 512, 20);
  for (const PromptLogprob& token : scored) {
    ASSERT_EQ(token.top.size(), 20U);
    for (std::size_t i = 1; i < token.top.size(); ++i) {
      ASSERT_GE(token.top[i - 1].logprob, token.top[i].logprob);
    }
    if (token.rank > 20) {
      EXPECT_LE(token.logprob, token.top.back().logprob);
      continue;
    }
    const TokenLogprob& own = token.top[static_cast<std::size_t>(token.rank) - 1];
    EXPECT_EQ(own.token, token.token);
    EXPECT_EQ(own.logprob, token.logprob);
  }
}

INSTANTIATE_TEST_SUITE_P(, PromptLogprobsTest,
                         ::testing::Values("v2_lite", "v2_group", "v3", "llama3", "qwen2",
                                           "qwen3"));

TEST(RowLogprobsTest, EqualLogitsRankById) {
  const std::vector<float> row = {1, 3, 3, 0, 3};
  const RowLogprobs logprobs(row);
  EXPECT_EQ(logprobs.RankOf(1), 1);
  EXPECT_EQ(logprobs.RankOf(2), 2);
  EXPECT_EQ(logprobs.RankOf(4), 3);
  EXPECT_EQ(logprobs.RankOf(0), 4);
  EXPECT_EQ(logprobs.RankOf(3), 5);
  EXPECT_EQ(logprobs.Top(2)[1].token, 2);
  EXPECT_EQ(logprobs.Top(9).size(), 5U);
}

TEST(RowLogprobsTest, ProbabilitiesSumToOne) {
  const std::vector<float> row = {-700, 12.5F, 12.25F, -3, 0};
  const RowLogprobs logprobs(row);
  double sum = 0;
  for (int id = 0; id < 5; ++id) sum += std::exp(static_cast<double>(logprobs.Of(id)));
  EXPECT_NEAR(sum, 1, 1e-6);
}

}  // namespace
}  // namespace baton
