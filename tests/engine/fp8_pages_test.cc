// Pages of fp8 lose little: logits against those of torch in fp32, the rest of the arithmetic in
// fp32.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/forward_runner.h"
#include "tests/engine/golden_values.h"

namespace baton {
namespace {

using testing::ForwardRunner;
using testing::GoldenPrompt;
using testing::GoldenValues;

constexpr std::size_t kLengthMax = 300;
// Mean over rows and ids; the standard deviation of the logits is 4. Measured: 0.21 to 0.29.
constexpr double kMeanError = 0.4;

class Fp8PagesTest : public ::testing::TestWithParam<const char*> {};

TEST_P(Fp8PagesTest, LogitsStayClose) {
  const Backend* cpu = CpuBackend("auto");
  const Backend& backend = cpu != nullptr ? *cpu : ReferenceBackend();
  const auto model = GoldenValues::Load(GetParam(), "float32");
  ASSERT_NE(model, nullptr);
  const GoldenValues golden(GetParam());
  ForwardRunner runner(*model, backend, kLengthMax, DType::kFp8E4m3);
  double error = 0;
  double logits_seen = 0;
  for (const GoldenPrompt& prompt : golden.prompts()) {
    if (prompt.ids.size() > kLengthMax) continue;
    runner.Restart();
    const std::vector<float> got = runner.Feed(prompt.ids);
    const std::vector<float> want = golden.Floats(prompt.name + ".logits");
    for (std::size_t i = 0; i < want.size(); ++i) error += std::abs(got[i] - want[i]);
    logits_seen += static_cast<double>(want.size());
  }
  RecordProperty("mean_error", std::to_string(error / logits_seen));
  EXPECT_LE(error / logits_seen, kMeanError);
  EXPECT_GT(error / logits_seen, 1e-3) << "the pages were not fp8";
}

INSTANTIATE_TEST_SUITE_P(, Fp8PagesTest,
                         ::testing::Values("v2_lite", "v2_group", "llama3", "qwen2", "qwen3"));

}  // namespace
}  // namespace baton
