// bf16 activations against the fp32 values, by the rule in tests/golden/README.md.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/engine/forward_runner.h"
#include "tests/engine/golden_scope.h"
#include "tests/engine/golden_values.h"

namespace baton {
namespace {

using testing::ForwardRunner;
using testing::GoldenPrompt;
using testing::GoldenValues;

constexpr float kSoftmaxBorder = 0.002F;
constexpr float kSigmoidBorder = 0.005F;
constexpr std::size_t kTop = 5;
constexpr std::size_t kEveryLength = std::size_t{1} << 20;

struct Tally {
  int steps = 0;             // of all prompts
  int before_departure = 0;  // steps before the first id that differs
  int judged = 0;            // not loose
  int within = 0;            // of the judged
  double row_error = 0;      // mean difference of the logits, summed over prompts
  int rows = 0;
};

std::vector<double> LogSoftmax(const std::vector<float>& logits) {
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
  std::vector<double> logprobs;
  for (const float logit : logits) logprobs.push_back(logit - std::log(sum));
  return logprobs;
}

// Of the first `ids_with_text`.
std::size_t Largest(const std::vector<float>& logits, int ids_with_text) {
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.begin() + ids_with_text) -
                                  logits.begin());
}

// On the plain loops, which take minutes for all of them.
std::size_t ReferenceLengthMax() { return testing::LengthMax({7, 65, 300}); }

void JudgePrompt(const GoldenValues& golden, const GoldenPrompt& prompt, double tolerance,
                 ForwardRunner& runner, Tally& tally) {
  const float border = golden.name().rfind("v3", 0) == 0 ? kSigmoidBorder : kSoftmaxBorder;
  const int with_text = static_cast<int>(golden.Number({"ids_with_text"}));
  const auto top_ids = golden.Ints(prompt.name + ".greedy_top5_ids");
  const auto top_logprobs = golden.Floats(prompt.name + ".greedy_top5_logprobs");
  const auto noise = golden.Floats(prompt.name + ".greedy_noise");
  const auto routing = golden.Floats(prompt.name + ".routing_margin");
  const auto margin = golden.Floats(prompt.name + ".greedy_margin");
  const auto expected = golden.Floats(prompt.name + ".logits");
  runner.Restart();
  std::vector<float> logits = runner.Feed(prompt.ids);
  double difference = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) difference += std::abs(logits[i] - expected[i]);
  tally.row_error += difference / static_cast<double>(logits.size());
  ++tally.rows;
  bool departed = false;
  for (std::size_t step = 0; step < prompt.greedy.size(); ++step) {
    const TokenId id = prompt.greedy[step];
    ++tally.steps;
    const bool agrees = Largest(logits, with_text) == static_cast<std::size_t>(id);
    if (!agrees) departed = true;
    if (!departed) ++tally.before_departure;
    if (routing[step] >= border && noise[step] <= tolerance / 2) {
      const std::vector<double> logprobs = LogSoftmax(logits);
      double worst = 0;
      for (std::size_t i = step * kTop; i < (step + 1) * kTop; ++i) {
        const auto top_id = static_cast<std::size_t>(top_ids[i]);
        worst = std::max(worst, std::abs(logprobs[top_id] - top_logprobs[i]));
      }
      ++tally.judged;
      // A step beyond t counts against the one in sixteen; its id says no more than that.
      if (worst > tolerance) {
        logits = runner.Feed({id});
        continue;
      }
      ++tally.within;
      if (!agrees) {
        EXPECT_LT(margin[step], tolerance) << prompt.name << " step " << step;
      }
    }
    logits = runner.Feed({id});
  }
}

class GoldenBf16Test : public ::testing::TestWithParam<const char*> {};

void CheckBackend(const std::string& name, const std::string& dtype, const Backend& backend,
                  std::size_t length_max) {
  const auto model = GoldenValues::Load(name, dtype);
  ASSERT_NE(model, nullptr);
  const GoldenValues golden(name);
  const double tolerance = 0.05 + 2 * golden.Number({"step_noise", "p90"});
  ForwardRunner runner(*model, backend, 1280);
  Tally tally;
  for (const GoldenPrompt& prompt : golden.prompts()) {
    if (prompt.ids.size() > length_max) continue;
    JudgePrompt(golden, prompt, tolerance, runner, tally);
  }
  EXPECT_GE(16 * tally.within, 15 * tally.judged) << tally.within << " of " << tally.judged;
  EXPECT_GE(10 * tally.before_departure, 3 * tally.steps) << tally.before_departure;
  EXPECT_GT(tally.judged, tally.steps / 4);
  const bool absorbed = golden.Has({"noise_summary", "ref_bf16_absorbed"});
  const double usual =
      golden.Number({"noise_summary", absorbed ? "ref_bf16_absorbed" : "ref_bf16", "gen_mean"});
  EXPECT_LE(tally.row_error / tally.rows, 2 * usual);
}

TEST_P(GoldenBf16Test, RoundedArithmeticStaysWithinTheMeasuredNoise) {
  const Backend* cpu = CpuBackend("auto");
  if (cpu == nullptr) GTEST_SKIP() << "this machine has no vector level that the CPU backend needs";
  CheckBackend(GetParam(), "bfloat16", *cpu, kEveryLength);
}

TEST_P(GoldenBf16Test, SoDoThePlainLoops) {
  CheckBackend(GetParam(), "bfloat16", ReferenceBackend(), ReferenceLengthMax());
}

// fp16 rounds to three bits more.
TEST_P(GoldenBf16Test, SoDoesHalfPrecision) {
  const Backend* cpu = CpuBackend("auto");
  if (cpu == nullptr) GTEST_SKIP() << "this machine has no vector level that the CPU backend needs";
  CheckBackend(GetParam(), "float16", *cpu, kEveryLength);
}

INSTANTIATE_TEST_SUITE_P(, GoldenBf16Test,
                         ::testing::Values("v2_lite", "v2_group", "v2_mscales", "v3", "v3_fp8",
                                           "llama3", "qwen2", "qwen3"));

}  // namespace
}  // namespace baton
