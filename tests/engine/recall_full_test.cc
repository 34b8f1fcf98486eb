// The recall model over thousands of tokens: the acceptance figures of both sizes, on the fastest
// backend of this machine. One prompt is read once; questions follow token by token.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "engine/load_model.h"
#include "tests/engine/forward_runner.h"
#include "tests/engine/recall_prompt.h"

namespace baton {
namespace {

using testing::ForwardRunner;
using testing::MakeRecallPrompt;
using testing::RecallPrompt;
using testing::RecallTokens;

struct Case {
  const char* model;
  const char* dtype;
  int pairs;  // of 14 bytes
};

void PrintTo(const Case& value, std::ostream* out) {
  *out << value.model << " " << value.dtype << " " << value.pairs << " pairs";
}

TokenId Likeliest(const std::vector<float>& logits) {
  return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

// How many bytes of `text` the model foretells, each after those before it.
int Foretold(const std::string& text, std::vector<float>& logits, ForwardRunner& runner) {
  int right = 0;
  for (const char c : text) {
    const TokenId byte = static_cast<unsigned char>(c);
    if (Likeliest(logits) == byte) ++right;
    logits = runner.Feed({byte});
  }
  return right;
}

std::vector<TokenId> Bytes(const std::string& text) {
  std::vector<TokenId> tokens = RecallTokens(text);
  tokens.erase(tokens.begin());
  return tokens;
}

class RecallFullTest : public ::testing::TestWithParam<Case> {};

TEST_P(RecallFullTest, ItRecallsAndRepeatsALongPrompt) {
  ModelConfig config;
  config.path = GetParam().model;
  config.dtype = GetParam().dtype;
  const auto model = LoadModel(config);
  ASSERT_TRUE(model.ok()) << model.status();
  const Backend* cpu = CpuBackend("auto");
  ASSERT_NE(cpu, nullptr) << "the reference alone is too slow for long prompts";
  ForwardRunner runner(**model, *cpu, (*model)->facts().length_tokens_max);

  const RecallPrompt prompt = MakeRecallPrompt(GetParam().pairs, 11);
  const std::string text = prompt.Text();
  runner.Feed(RecallTokens(text + "\n"));
  const std::string copy = text.substr(0, 408);
  std::vector<float> logits = runner.Feed(Bytes(copy.substr(0, 8)));
  const std::string rest = copy.substr(8);
  const int right = Foretold(rest, logits, runner);
  EXPECT_GE(right, 0.995 * static_cast<double>(rest.size())) << "of " << rest.size() << " bytes";
  runner.Feed(Bytes("\n"));

  // Asked after the copy: a question repeats a pair out of its order.
  int digits = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const std::size_t asked = (i * 37 + 5) % prompt.keys.size();
    logits = runner.Feed(Bytes(prompt.keys[asked] + "="));
    digits += Foretold(prompt.digits[asked], logits, runner);
    runner.Feed(Bytes(";"));
  }
  EXPECT_GE(digits, 39) << "of 40";
}

INSTANTIATE_TEST_SUITE_P(, RecallFullTest,
                         ::testing::Values(Case{"builtin:recall", "bfloat16", 14},
                                           Case{"builtin:recall", "float32", 58},
                                           Case{"builtin:recall", "bfloat16", 183},
                                           Case{"builtin:recall-nano", "bfloat16", 14},
                                           Case{"builtin:recall-nano", "bfloat16", 58},
                                           Case{"builtin:recall-nano", "float32", 183},
                                           Case{"builtin:recall-nano", "bfloat16", 460}));

}  // namespace
}  // namespace baton
