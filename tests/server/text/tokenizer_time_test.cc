// Long runs of one letter, which are one piece with a million merges, end in time. In seconds of
// one processor, since the machine is shared.
#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "tests/server/text/golden_tokenizers.h"

namespace baton::testing {
namespace {

TEST(TokenizerTimeTest, AMebibyteOfOneLetterTakesUnderASecond) {
  for (const GoldenTokenizer& golden : ReadGoldenTokenizers()) {
    if (golden.name.find("tiny") == 0) continue;
    for (const std::string unit : {"a", " ", "!", "1", "\n", "\xE6\xBC\xA2", "\xCC\x81", "<"}) {
      std::string text;
      while (text.size() < (1 << 20)) text += unit;
      const std::clock_t start = std::clock();
      const auto ids = golden.tokenizer->Encode(text, {});
      const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      ASSERT_TRUE(ids.ok()) << ids.status();
      EXPECT_LE(seconds, 1.0) << golden.name << " " << unit;
    }
  }
}

}  // namespace
}  // namespace baton::testing
