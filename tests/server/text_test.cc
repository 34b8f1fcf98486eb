// Bytes to text: whole characters only, stop strings across any border.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "server/text/answer_text.h"
#include "server/text/byte_tokenizer.h"
#include "server/text/detokenizer.h"
#include "server/text/stop_matcher.h"
#include "server/text/token_id_tokenizer.h"

namespace baton {
namespace {

const std::string kBad = "\xEF\xBF\xBD";

std::string Detokenized(const std::vector<std::string>& pieces) {
  Detokenizer detokenizer;
  std::string text;
  for (const std::string& piece : pieces) {
    detokenizer.Append(piece, text);
    EXPECT_TRUE(IsWholeUtf8(text));
  }
  detokenizer.Flush(text);
  return text;
}

/// Every way to cut `bytes` in pieces; short strings only.
std::vector<std::vector<std::string>> AllSplits(const std::string& bytes) {
  std::vector<std::vector<std::string>> splits;
  for (unsigned cuts = 0; cuts < (1U << (bytes.size() - 1)); ++cuts) {
    std::vector<std::string> pieces = {""};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      pieces.back() += bytes[i];
      if ((cuts >> i & 1U) != 0) pieces.emplace_back();
    }
    splits.push_back(pieces);
  }
  return splits;
}

TEST(DetokenizerTest, WholeCharactersSurviveEverySplit) {
  for (const std::string text : {"a\xC3\xA9z", "\xE6\xBC\xA2\xE5\xAD\x97", "\xF0\x9F\x98\x80!",
                                 "\xEF\xBF\xBD", "\xF4\x8F\xBF\xBF", "\xE0\xA0\x80"}) {
    for (const auto& split : AllSplits(text)) EXPECT_EQ(Detokenized(split), text);
  }
}

TEST(DetokenizerTest, EachMaximalSubpartBecomesOneReplacement) {
  // Rows after Unicode's table 3-8 and 3-11: cut characters, overlong forms, surrogates.
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"\x80", kBad},
      {"\xC0\xAF", kBad + kBad},
      {"\xE0\x80\xAF", kBad + kBad + kBad},
      {"\xED\xA0\x80", kBad + kBad + kBad},
      {"\xF4\x91\x92\x93", kBad + kBad + kBad + kBad},
      {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
       "A",
       kBad + kBad + kBad + kBad + "A"},
      {"\xF0\x9F\x98", kBad},
      {"\xE6\xBC"
       "a",
       kBad + "a"},
      {"\xFF", kBad},
  };
  for (const auto& [bytes, text] : rows) {
    for (const auto& split : AllSplits(bytes)) EXPECT_EQ(Detokenized(split), text);
  }
}

TEST(DetokenizerTest, NothingGoesOutBeforeACharacterIsWhole) {
  Detokenizer detokenizer;
  std::string text;
  detokenizer.Append("\xF0\x9F\x98", text);
  EXPECT_EQ(text, "");
  detokenizer.Append("\x80", text);
  EXPECT_EQ(text, "\xF0\x9F\x98\x80");
}

struct Stopped {
  std::string text;
  int stop = -1;
};

Stopped RunStops(const std::vector<std::string>& stops, const std::vector<std::string>& pieces,
                 bool include = false) {
  StopMatcher matcher(stops, include);
  Stopped result;
  for (const std::string& piece : pieces) {
    const auto found = matcher.Append(piece, result.text);
    if (!found.has_value()) continue;
    result.stop = static_cast<int>(*found);
    return result;
  }
  matcher.Flush(result.text);
  return result;
}

TEST(StopMatcherTest, FindsAStopAcrossEveryBorder) {
  for (const auto& split : AllSplits("one</s>two")) {
    const Stopped result = RunStops({"</s>"}, split);
    EXPECT_EQ(result.text, "one");
    EXPECT_EQ(result.stop, 0);
    EXPECT_EQ(RunStops({"</s>"}, split, true).text, "one</s>");
  }
}

TEST(StopMatcherTest, EarliestEndWinsThenTheLongest) {
  EXPECT_EQ(RunStops({"abcd", "bc"}, {"xabcd"}).text, "xa");
  EXPECT_EQ(RunStops({"abcd", "bc"}, {"xabcd"}).stop, 1);
  EXPECT_EQ(RunStops({"c", "abc"}, {"xabc"}).text, "x");
  EXPECT_EQ(RunStops({"c", "abc"}, {"xabc"}).stop, 1);
}

TEST(StopMatcherTest, HoldsBackOnlyWhatCouldStillStop) {
  StopMatcher matcher({"aab"}, false);
  std::string out;
  EXPECT_FALSE(matcher.Append("xaa", out).has_value());
  EXPECT_EQ(out, "x");
  EXPECT_FALSE(matcher.Append("a", out).has_value());
  EXPECT_EQ(out, "xa");
  EXPECT_FALSE(matcher.Append("c", out).has_value());
  EXPECT_EQ(out, "xaaac");
  EXPECT_FALSE(matcher.Append("aa", out).has_value());
  matcher.Flush(out);
  EXPECT_EQ(out, "xaaacaa");
}

/// The rule in plain words, by trying every end.
Stopped Naive(const std::vector<std::string>& stops, const std::string& text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    int best = -1;
    for (std::size_t i = 0; i < stops.size(); ++i) {
      const std::size_t size = stops[i].size();
      if (size > end || text.compare(end - size, size, stops[i]) != 0) continue;
      if (best < 0 || size > stops[static_cast<std::size_t>(best)].size()) {
        best = static_cast<int>(i);
      }
    }
    if (best >= 0) {
      return {text.substr(0, end - stops[static_cast<std::size_t>(best)].size()), best};
    }
  }
  return {text, -1};
}

TEST(StopMatcherTest, AgreesWithTheNaiveRuleOnGeneratedInput) {
  std::mt19937 random(7);
  const auto word = [&random](std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + random() % 2);
    return text;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::string> stops;
    for (unsigned i = 0; i < 1 + random() % 3; ++i) stops.push_back(word(3 + random() % 4));
    const std::string text = word(20);
    std::vector<std::string> pieces;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + random() % 4;
      pieces.push_back(text.substr(at, size));
      at += size;
    }
    const Stopped expected = Naive(stops, text);
    const Stopped got = RunStops(stops, pieces);
    EXPECT_EQ(got.text, expected.text);
    EXPECT_EQ(got.stop < 0, expected.stop < 0);
  }
}

TEST(AnswerTextTest, StopsAreNotLookedForBeforeTheMinimum) {
  const ByteTokenizer tokenizer;
  AnswerText text(tokenizer, {{"a"}, false, true, 2});
  EXPECT_EQ(text.Append('a', false), "a");
  EXPECT_EQ(text.Append('a', false), "a");
  EXPECT_EQ(text.stop_found(), nullptr);
  EXPECT_EQ(text.Append('a', false), "");
  ASSERT_NE(text.stop_found(), nullptr);
  EXPECT_EQ(*text.stop_found(), "a");
}

TEST(AnswerTextTest, ControlTokensAreSkippedUnlessAskedFor) {
  const ByteTokenizer tokenizer;
  AnswerText plain(tokenizer, {});
  EXPECT_EQ(plain.Append(256, false), "");
  TextRules rules;
  rules.skip_special_tokens = false;
  AnswerText with(tokenizer, rules);
  EXPECT_EQ(with.Append(256, false), "<|begin|>");
}

TEST(AnswerTextTest, AHalfCharacterIsFlushedAtTheEnd) {
  const ByteTokenizer tokenizer;
  AnswerText text(tokenizer, {});
  EXPECT_EQ(text.Append(0xE6, false), "");
  EXPECT_EQ(text.Flush(), kBad);
}

TEST(ByteTokenizerTest, EveryByteGoesAndComesBack) {
  const ByteTokenizer tokenizer;
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const auto tokens = *tokenizer.Encode(bytes, {.add_special_tokens = true});
  ASSERT_EQ(tokens.size(), 257U);
  EXPECT_EQ(tokens[0], ByteTokenizer::kBegin);
  std::string back;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    const absl::string_view piece = tokenizer.BytesOf(tokens[i]);
    back.append(piece.data(), piece.size());
  }
  EXPECT_EQ(back, bytes);
  EXPECT_EQ(tokenizer.BytesOf(-1), "");
  EXPECT_EQ(tokenizer.BytesOf(258), "");
}

TEST(ByteTokenizerTest, OnlyTrustedRunsHoldControlTokens) {
  const ByteTokenizer tokenizer;
  const std::vector<TextRun> runs = {{"<|begin|>a<|en", true}, {"d|><|end|>", false}};
  const auto tokens = *tokenizer.EncodeRuns(runs);
  EXPECT_EQ(tokens.size(), 1U + 1U + 4U + 3U + 7U);
  EXPECT_EQ(tokens[0], ByteTokenizer::kBegin);
  EXPECT_EQ(std::count(tokens.begin(), tokens.end(), ByteTokenizer::kEnd), 0);
  EXPECT_EQ(tokenizer.Encode("<|end|>", {})->size(), 1U);
  EXPECT_EQ(tokenizer.Encode("<|end|>", {.parse_special_tokens = false})->size(), 7U);
}

TEST(TokenIdTokenizerTest, TextIsRefusedByAMessageThatSaysWhatToDo) {
  const TokenIdTokenizer tokenizer;
  const auto text = tokenizer.Encode("x", {});
  EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(text.status().message().find("token ids"), absl::string_view::npos);
  EXPECT_FALSE(tokenizer.EncodeRuns({}).ok());
}

TEST(TokenNameTest, DifferentTokensHaveDifferentNames) {
  EXPECT_EQ(TokenName("a"), "a");
  EXPECT_EQ(TokenName("\xE6\xBC"), "bytes:\\xe6\\xbc");
  EXPECT_NE(TokenName("\xE6"), TokenName("\xE7"));
}

}  // namespace
}  // namespace baton
