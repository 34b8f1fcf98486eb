// The recall model answers from its prompt, every byte of it; on each backend that this machine
// has.
#include "engine/model/recall_model.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "engine/generate.h"
#include "engine/load_model.h"
#include "engine/model/recall_code.h"
#include "tests/engine/recall_prompt.h"

namespace baton {
namespace {

using testing::MakeRecallPrompt;
using testing::RecallPrompt;
using testing::RecallTokens;

std::unique_ptr<Model> LoadRecall(const std::string& name, const std::string& dtype) {
  ModelConfig config;
  config.path = name;
  config.dtype = dtype;
  auto model = LoadModel(config);
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? *std::move(model) : nullptr;
}

std::string Continue(Generator& generator, const std::string& prompt, int bytes) {
  SamplingParams greedy;
  greedy.temperature = 0;
  StopRule stop;
  stop.max_tokens = bytes;
  const auto generation = generator.Generate(RecallTokens(prompt), greedy, stop);
  EXPECT_TRUE(generation.ok()) << generation.status();
  std::string text;
  if (!generation.ok()) return text;
  for (const TokenOutput& output : generation->outputs) text += static_cast<char>(output.token);
  return text;
}

int EqualBytes(const std::string& a, const std::string& b) {
  int equal = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) equal += a[i] == b[i] ? 1 : 0;
  return equal;
}

TEST(RecallCodeTest, TwoBytesAgreeInAtMostTenOfSixteenPlaces) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < a; ++b) {
      int product = 0;
      for (std::size_t i = 0; i < kRecallCodeBits; ++i)
        product += RecallCode(a)[i] * RecallCode(b)[i];
      ASSERT_LE(product, 4) << a << " and " << b;
    }
  }
}

TEST(RecallModelTest, AnUnknownBuiltinIsRefusedByName) {
  const auto model = MakeRecallModel("builtin:recal");
  ASSERT_EQ(model.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(model.status().ToString().find("builtin:recall-nano"), std::string::npos);
}

TEST(RecallModelTest, TheWeightsAreTheSameOnEveryConstruction) {
  const auto one = MakeRecallModel("builtin:recall-nano");
  const auto two = MakeRecallModel("builtin:recall-nano");
  const auto large = MakeRecallModel("builtin:recall");
  ASSERT_TRUE(one.ok() && two.ok() && large.ok());
  EXPECT_EQ(one->weights->Digest(), two->weights->Digest());
  EXPECT_NE(one->weights->Digest(), large->weights->Digest());
}

class RecallAnswerTest : public ::testing::TestWithParam<const char*> {};

TEST_P(RecallAnswerTest, ItRecallsDigitsAndRepeatsItsPrompt) {
  const auto model = LoadRecall("builtin:recall-nano", GetParam());
  ASSERT_NE(model, nullptr);
  GeneratorOptions options;
  options.threads = 2;
  options.kv_dtype = model->facts().activation;
  const Backend* cpu = CpuBackend("auto");
  auto generator = Generator::Create(*model, cpu != nullptr ? *cpu : ReferenceBackend(), options);
  ASSERT_TRUE(generator.ok()) << generator.status();

  const RecallPrompt prompt = MakeRecallPrompt(8, 3);
  std::string text = prompt.Text() + "\n";
  int digits = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const std::size_t asked = (i * 7 + 1) % prompt.keys.size();
    text += prompt.keys[asked] + "=";
    const std::string answer = Continue(**generator, text, 4);
    digits += EqualBytes(answer, prompt.digits[asked]);
    text += prompt.digits[asked] + ";";
  }
  EXPECT_GE(digits, 39) << "of 40";

  const std::string start = prompt.Text().substr(0, 16);
  const std::string rest = prompt.Text().substr(16);
  const std::string copy =
      Continue(**generator, prompt.Text() + "\n" + start, static_cast<int>(rest.size()));
  EXPECT_GE(EqualBytes(copy, rest), 0.995 * static_cast<double>(rest.size()));
}

INSTANTIATE_TEST_SUITE_P(, RecallAnswerTest, ::testing::Values("bfloat16", "float32"));

}  // namespace
}  // namespace baton
