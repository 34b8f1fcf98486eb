// Every row of the golden tokenizers: ids, texts, round trips, and the same text token by token.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/text/answer_text.h"
#include "tests/server/text/golden_tokenizers.h"

namespace baton::testing {
namespace {

class TokenizerGoldenTest : public ::testing::Test {
 protected:
  static const std::vector<GoldenTokenizer>& All() {
    static const std::vector<GoldenTokenizer> kAll = ReadGoldenTokenizers();
    return kAll;
  }

  /// The text of `ids` as a client that streams sees it, each delta whole UTF-8.
  static std::string Streamed(const Tokenizer& tokenizer, const std::vector<TokenId>& ids,
                              TextRules rules) {
    AnswerText answer(tokenizer, std::move(rules));
    std::string text;
    for (const TokenId id : ids) {
      const std::string delta = answer.Append(id, false);
      EXPECT_TRUE(IsWholeUtf8(delta));
      text += delta;
      if (answer.stop_found() != nullptr) return text;
    }
    return text + answer.Flush();
  }
};

TEST_F(TokenizerGoldenTest, EveryTextHasItsPublishedIds) {
  std::size_t rows = 0;
  for (const GoldenTokenizer& golden : All()) {
    for (const GoldenCase& row : golden.cases) {
      if (!row.text.has_value()) continue;
      ++rows;
      const auto ids = golden.tokenizer->Encode(*row.text, {});
      ASSERT_TRUE(ids.ok()) << ids.status();
      EXPECT_EQ(*ids, row.ids) << golden.name << ": " << *row.text;
      const auto special = golden.tokenizer->Encode(*row.text, {.add_special_tokens = true});
      ASSERT_TRUE(special.ok());
      EXPECT_EQ(*special, row.ids_special) << golden.name << ": " << *row.text;
    }
  }
  EXPECT_GT(rows, 2500U);
}

TEST_F(TokenizerGoldenTest, EveryRowDecodesToItsText) {
  for (const GoldenTokenizer& golden : All()) {
    for (const GoldenCase& row : golden.cases) {
      EXPECT_EQ(DecodeAll(*golden.tokenizer, row.ids, false), row.decode) << golden.name;
      EXPECT_EQ(DecodeAll(*golden.tokenizer, row.ids_special, true), row.decode_skip)
          << golden.name;
    }
  }
}

TEST_F(TokenizerGoldenTest, ATrustedRunEncodesAsTheTextDoes) {
  for (const GoldenTokenizer& golden : All()) {
    for (const GoldenCase& row : golden.cases) {
      if (!row.text.has_value()) continue;
      const std::vector<TextRun> run = {{*row.text, true}};
      EXPECT_EQ(*golden.tokenizer->EncodeRuns(run), row.ids) << golden.name << ": " << *row.text;
    }
  }
}

TEST_F(TokenizerGoldenTest, StreamingGivesTheWholeText) {
  for (const GoldenTokenizer& golden : All()) {
    for (const GoldenCase& row : golden.cases) {
      TextRules rules;
      rules.skip_special_tokens = false;
      EXPECT_EQ(Streamed(*golden.tokenizer, row.ids, rules), row.decode) << golden.name;
    }
  }
}

TEST_F(TokenizerGoldenTest, StreamingGivesTheWholeTextCutAtEveryToken) {
  for (const GoldenTokenizer& golden : All()) {
    for (const GoldenCase& row : golden.cases) {
      std::vector<TokenId> cut;
      for (const TokenId id : row.ids) {
        cut.push_back(id);
        TextRules rules;
        rules.skip_special_tokens = false;
        ASSERT_EQ(Streamed(*golden.tokenizer, cut, rules),
                  DecodeAll(*golden.tokenizer, cut, false));
        if (cut.size() > 64) break;  // long rows repeat themselves
      }
    }
  }
}

TEST_F(TokenizerGoldenTest, AStopStringIsFoundWhereverTokensCutIt) {
  for (const GoldenTokenizer& golden : All()) {
    for (const GoldenCase& row : golden.cases) {
      const std::string& whole = row.decode;
      for (std::size_t at = 1; at + 3 <= whole.size() && at < 24; ++at) {
        TextRules rules;
        rules.skip_special_tokens = false;
        rules.stops = {whole.substr(at, 3)};
        if (!IsWholeUtf8(whole.substr(0, at)) || !IsWholeUtf8(rules.stops[0])) continue;
        if (whole.find("\xEF\xBF\xBD") != std::string::npos) continue;  // not the tokens' bytes
        const std::string expected = whole.substr(0, whole.find(rules.stops[0]));
        EXPECT_EQ(Streamed(*golden.tokenizer, row.ids, rules), expected) << golden.name;
      }
    }
  }
}

}  // namespace
}  // namespace baton::testing
