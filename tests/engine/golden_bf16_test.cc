// bf16 activations against the fp32 values, by the rule in tests/golden/README.md.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/forward_runner.h"
#include "tests/engine/golden_values.h"

namespace baton {
namespace {

using testing::ForwardRunner;
using testing::GoldenPrompt;
using testing::GoldenValues;

constexpr float kRoutingBorder = 0.002F;
constexpr std::size_t kTop = 5;

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

std::size_t Largest(const std::vector<float>& logits) {
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

void JudgePrompt(const GoldenValues& golden, const GoldenPrompt& prompt, double tolerance,
                 ForwardRunner& runner, Tally& tally) {
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
    if (Largest(logits) != static_cast<std::size_t>(id)) departed = true;
    if (!departed) ++tally.before_departure;
    if (routing[step] >= kRoutingBorder && noise[step] <= tolerance / 2) {
      const std::vector<double> logprobs = LogSoftmax(logits);
      double worst = 0;
      for (std::size_t i = step * kTop; i < (step + 1) * kTop; ++i) {
        const auto top_id = static_cast<std::size_t>(top_ids[i]);
        worst = std::max(worst, std::abs(logprobs[top_id] - top_logprobs[i]));
      }
      ++tally.judged;
      if (worst <= tolerance) ++tally.within;
      if (Largest(logits) != static_cast<std::size_t>(id)) {
        EXPECT_LT(margin[step], tolerance) << prompt.name << " step " << step;
      }
    }
    logits = runner.Feed({id});
  }
}

class GoldenBf16Test : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenBf16Test, RoundedArithmeticStaysWithinTheMeasuredNoise) {
  const Backend* cpu = CpuBackend("auto");
  if (cpu == nullptr) GTEST_SKIP() << "this machine has no vector level that the CPU backend needs";
  const auto model = GoldenValues::Load(GetParam(), "bfloat16");
  ASSERT_NE(model, nullptr);
  const GoldenValues golden(GetParam());
  const double tolerance = 0.05 + 2 * golden.Number({"step_noise", "p90"});
  ForwardRunner runner(*model, *cpu, 1280);
  Tally tally;
  for (const GoldenPrompt& prompt : golden.prompts()) {
    JudgePrompt(golden, prompt, tolerance, runner, tally);
  }
  EXPECT_GE(16 * tally.within, 15 * tally.judged) << tally.within << " of " << tally.judged;
  EXPECT_GE(10 * tally.before_departure, 3 * tally.steps) << tally.before_departure;
  EXPECT_GT(tally.judged, tally.steps / 4);
  const double usual = golden.Number({"noise_summary", "ref_bf16_absorbed", "gen_mean"});
  EXPECT_LE(tally.row_error / tally.rows, 2 * usual);
}

INSTANTIATE_TEST_SUITE_P(, GoldenBf16Test, ::testing::Values("v2_lite", "v2_group", "v2_mscales"));

}  // namespace
}  // namespace baton
