// Patterns as Oniguruma reads them, found by PCRE2 within bounded time.
#include "server/text/split_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/text/pattern_rewrite.h"
#include "server/text/pre_tokenizer.h"
#include "server/text/unicode_tables.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SplitPattern Compiled(absl::string_view pattern) {
  const auto rewritten = RewritePattern(pattern);
  EXPECT_TRUE(rewritten.ok()) << pattern << rewritten.status();
  auto compiled = SplitPattern::Compile(*rewritten);
  EXPECT_TRUE(compiled.ok()) << compiled.status();
  return *std::move(compiled);
}

std::string RefusalOf(absl::string_view pattern) {
  const auto rewritten = RewritePattern(pattern);
  if (rewritten.ok()) return "it was accepted";
  return std::string(rewritten.status().message());
}

std::vector<std::string> Pieces(absl::string_view pattern, absl::string_view text,
                                SplitBehavior behavior = SplitBehavior::kIsolated,
                                bool invert = false) {
  PreTokenizer row;
  row.Add(SplitStep{Compiled(pattern), behavior, invert});
  SplitPattern::Scratch scratch;
  std::vector<std::string> pieces;
  const absl::Status status = row.Run(text, scratch, [&](const PreTokenizer::Piece& piece) {
    EXPECT_EQ(text.substr(piece.source.begin, piece.source.end - piece.source.begin), piece.text);
    pieces.emplace_back(piece.text);
  });
  EXPECT_TRUE(status.ok()) << status;
  return pieces;
}

TEST(SplitPatternTest, WhatTheEnginesReadDifferentlyIsRefusedByOffset) {
  EXPECT_THAT(RefusalOf(R"((a)\1)"), HasSubstr("offset 3"));
  EXPECT_THAT(RefusalOf("ab.c"), HasSubstr("offset 2"));
  for (const char* pattern :
       {R"(\k<x>)",    "(?<x>a)",   "(?<=a)b",   "(?<!a)b",    "(?>a)",
        "(?i)a",       "(?m:a)",    "(?#x)",     "(?R)",       "(?1)",
        "(*FAIL)",     "(?(1)a)",   R"(\Ka)",    R"(\Ca)",     R"(\G)",
        R"(\b)",       R"(\w)",     R"(\h)",     R"(\v)",      R"(\R)",
        R"(\X)",       R"(\A)",     R"(\z)",     "^a",         "[[:alpha:]]",
        "[a[b]]",      "[a&&b]",    R"([\S])",   R"([\P{L}])", "[]",
        "[",           "[a",        "(a",        "a)",         "*a",
        "a{2}{3}",     "a{2}+",     "a{2}?",     "a**",        "a{,3}",
        "a{3,2}",      "a{1001}",   "a{x}",      "a{",         R"(\p{Han})",
        R"(\p{Mn})",   R"(\p{^L})", R"(\pL)",    R"(\p{L)",    R"(\x{110000})",
        R"(\x{d800})", R"(\xe9)",   R"(\x)",     R"(\u12)",    "\\",
        "[z-a]",       R"([a-\s])", R"([\s-z])", "(?i:é)",     "(?i:ss)",
        "(?i:[a])",    "(?=a)*",    "(?"}) {
    EXPECT_THAT(RefusalOf(pattern), HasSubstr("offset")) << pattern;
  }
  EXPECT_THAT(RefusalOf(std::string(kPatternBytesMax + 1, 'a')), HasSubstr("bytes"));
  EXPECT_THAT(RefusalOf(std::string(100, '(')), HasSubstr("too many groups"));
}

TEST(SplitPatternTest, PiecesAreThoseOfThePublishedBehaviours) {
  EXPECT_THAT(Pieces("b", "abbc"), ElementsAre("a", "b", "b", "c"));
  EXPECT_THAT(Pieces("b", "abbc", SplitBehavior::kRemoved), ElementsAre("a", "c"));
  EXPECT_THAT(Pieces("b", "abbc", SplitBehavior::kMergedWithPrevious), ElementsAre("ab", "b", "c"));
  EXPECT_THAT(Pieces("b", "abbc", SplitBehavior::kMergedWithNext), ElementsAre("a", "b", "bc"));
  EXPECT_THAT(Pieces("b", "abbc", SplitBehavior::kContiguous), ElementsAre("a", "bb", "c"));
  EXPECT_THAT(Pieces("b", "abbc", SplitBehavior::kRemoved, true), ElementsAre("b", "b"));
}

TEST(SplitPatternTest, EmptyMatchesSplitBetweenCharacters) {
  EXPECT_THAT(Pieces("x*", "aéx"), ElementsAre("a", "é", "x"));
  EXPECT_THAT(Pieces("(?=b)", "abb"), ElementsAre("a", "b", "b"));
  EXPECT_TRUE(Pieces("x*", "").empty());
}

TEST(SplitPatternTest, BlanksAreThoseOfUnicode) {
  EXPECT_THAT(Pieces(R"(\s+)", "a\u00a0\u3000b\u180ec"),
              ElementsAre("a", "\u00a0\u3000", "b\u180ec"));
  EXPECT_THAT(Pieces(R"(\S+)", "a b"), ElementsAre("a", " ", "b"));
  EXPECT_THAT(Pieces(R"(\s+$)", "a  \n b"), ElementsAre("a", "  ", "\n b"));
}

TEST(SplitPatternTest, LettersThatCameAfterUnicode14AreLetters) {
  EXPECT_THAT(Pieces(R"(\p{L}+)", "\U00031350\U0002ebf0!"),
              ElementsAre("\U00031350\U0002ebf0", "!"));
  EXPECT_THAT(Pieces(R"([^\p{L}\p{N}]+)", "\U00031350!"), ElementsAre("\U00031350", "!"));
  EXPECT_THAT(Pieces(R"(\P{L}+)", "\U00031350!"), ElementsAre("\U00031350", "!"));
}

TEST(SplitPatternTest, EveryPropertyHoldsItsAdditions) {
  for (const PropertyAdditions& property : UnicodeAdditions()) {
    if (property.name == "Digits") continue;
    const SplitPattern pattern = Compiled(absl::StrCat("\\p{", property.name, "}"));
    SplitPattern::Scratch scratch;
    for (const CodeRange& range : property.ranges) {
      for (char32_t code = range.first; code <= range.last; ++code) {
        std::string text;
        AppendUtf8(code, text);
        ASSERT_TRUE(pattern.Find(text, 0, scratch)->has_value())
            << property.name << " " << static_cast<unsigned>(code);
      }
    }
  }
}

TEST(SplitPatternTest, CaseIsFoldedBeyondAsciiWhereBothEnginesDo) {
  EXPECT_THAT(Pieces("(?i:'s|'t)", "a'S'\u017f'x"), ElementsAre("a", "'S", "'\u017f", "'x"));
}

TEST(SplitPatternTest, APatternThatBacktracksWithoutEndHitsItsLimit) {
  const SplitPattern pattern = Compiled("(?:a+)+(?:a+)+(?:a+)+b");
  SplitPattern::Scratch scratch;
  const auto start = std::chrono::steady_clock::now();
  const auto found = pattern.Find(std::string(200, 'a') + "cb", 0, scratch);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST(SplitPatternTest, ASearchThatLooksAgainAndAgainEndsAtItsDeadline) {
  const SplitPattern pattern = Compiled(R"(\s+$)");
  SplitPattern::Scratch scratch;
  const auto start = std::chrono::steady_clock::now();
  scratch.StopAt(start + std::chrono::milliseconds(50));
  const auto found = pattern.Find(std::string(1 << 20, ' ') + "\x01", 0, scratch);
  EXPECT_EQ(found.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(SplitPatternTest, LongTextsAreSearchedInWindowsWithoutMissingAMatch) {
  const SplitPattern pattern = Compiled("漢b");
  SplitPattern::Scratch scratch;
  for (const std::size_t before : {0U, 5000U, 99999U, 300000U}) {
    std::string text;
    while (text.size() < before) text += "漢a";
    const std::size_t at = text.size();
    text += "漢b";
    text.append(300000, 'x');
    const auto found = pattern.Find(text, 0, scratch);
    ASSERT_TRUE(found.ok() && found->has_value());
    EXPECT_EQ((*found)->begin, at);
    EXPECT_FALSE(pattern.Find(text, at + 3, scratch)->has_value());
  }
}

}  // namespace
}  // namespace baton
