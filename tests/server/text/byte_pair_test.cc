// Merges in order, held to the rule in plain words on generated vocabularies.
#include "server/text/byte_pair.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "server/text/nfc.h"

namespace baton {
namespace {

struct Rules {
  TokenTable vocabulary;
  MergeTable merges;
  std::map<std::pair<TokenId, TokenId>, MergeTable::Merge> plain;
};

/// A vocabulary over a few letters, grown by random merges.
Rules RandomRules(std::mt19937& random) {
  Rules rules;
  TokenId next = 0;
  for (const char letter : {'a', 'b', 'c'}) rules.vocabulary.Add({&letter, 1}, next++);
  for (std::uint32_t rank = 0; rank < 40; ++rank) {
    const auto left = static_cast<TokenId>(random() % static_cast<unsigned>(next));
    const auto right = static_cast<TokenId>(random() % static_cast<unsigned>(next));
    const std::string text =
        std::string(rules.vocabulary.BytesOf(left)) + std::string(rules.vocabulary.BytesOf(right));
    if (rules.vocabulary.Find(text) == kNoToken) rules.vocabulary.Add(text, next++);
    const MergeTable::Merge merge{rank, rules.vocabulary.Find(text)};
    rules.merges.Set(left, right, merge);
    rules.plain[{left, right}] = merge;
  }
  return rules;
}

/// Merges the leftmost of the pairs of the lowest rank until none is left.
std::vector<TokenId> Naive(const Rules& rules, const std::string& piece) {
  std::vector<TokenId> tokens;
  for (const char letter : piece) tokens.push_back(rules.vocabulary.Find({&letter, 1}));
  while (true) {
    std::size_t best = tokens.size();
    MergeTable::Merge merge{~0U, 0};
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const auto found = rules.plain.find({tokens[i], tokens[i + 1]});
      if (found == rules.plain.end() || found->second.rank >= merge.rank) continue;
      best = i;
      merge = found->second;
    }
    if (best == tokens.size()) return tokens;
    tokens[best] = merge.result;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

TEST(BytePairTest, AgreesWithTheNaiveRuleOnGeneratedVocabularies) {
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    Rules rules = RandomRules(random);
    const BytePair byte_pair(rules.vocabulary, rules.merges, false);
    BytePair::Scratch scratch;
    for (int i = 0; i < 20; ++i) {
      std::string piece;
      for (auto size = random() % 60; size > 0; --size) piece += "abc"[random() % 3];
      std::vector<TokenId> tokens;
      byte_pair.Encode(piece, nullptr, scratch, tokens);
      ASSERT_EQ(tokens, Naive(rules, piece)) << piece;
    }
  }
}

TEST(BytePairTest, TheLaterOfTwoRulesForOnePairCounts) {
  Rules rules;
  for (const char* token : {"a", "b", "c", "ab", "bc"}) {
    rules.vocabulary.Add(token, static_cast<TokenId>(rules.vocabulary.size()));
  }
  rules.merges.Set(0, 1, {0, 3});
  rules.merges.Set(1, 2, {1, 4});
  rules.merges.Set(0, 1, {2, 3});
  const BytePair byte_pair(rules.vocabulary, rules.merges, false);
  BytePair::Scratch scratch;
  std::vector<TokenId> tokens;
  byte_pair.Encode("abc", nullptr, scratch, tokens);
  EXPECT_EQ(tokens, (std::vector<TokenId>{0, 4}));
  EXPECT_EQ(byte_pair.bytes_missing(), 253);
}

TEST(NfcTest, ComposesAsUnicodeSays) {
  const Nfc nfc;
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"e\u0301", "\u00e9"},
      {"\u212b", "\u00c5"},               // a singleton
      {"\u0958", "\u0915\u093c"},         // excluded from composition
      {"a\u0323\u0307", "\u1ea1\u0307"},  // marks of other classes do not block
      {"a\u0307\u0323", "\u1ea1\u0307"},  // and are put in order
      {"a\u0301\u0301", "\u00e1\u0301"},  // one of the same class does
      {"\u1112\u1161\u11ab", "\ud55c"},   // Hangul
      {"\ud558\u11ab", "\ud55c"},         // a syllable and a tail
      {"\u0301e\u0301", "\u0301\u00e9"},  // a mark without a base
      {"\u0344", "\u0308\u0301"},         // falls apart
      {"x\u09c7\u09bey", "x\u09cby"},     // a second part of class 0
  };
  for (const auto& [text, expected] : rows) {
    EXPECT_EQ(nfc.Normalize(MarkedText(text, true)).text(), expected);
    EXPECT_EQ(nfc.Normalize(MarkedText(expected, true)).text(), expected);
    EXPECT_FALSE(nfc.IsSurelyNormal(text));
  }
  EXPECT_TRUE(nfc.IsSurelyNormal("plain, \u00e9, \u6f22, \ud55c"));
}

TEST(NfcTest, ACharacterIsTrustedWhenAllOfItIs) {
  const Nfc nfc;
  const std::vector<TextRun> runs = {{"ae", true}, {"\u0301b", false}, {"c", true}};
  const MarkedText normal = nfc.Normalize(MarkedText(runs));
  EXPECT_EQ(normal.text(), "a\u00e9bc");
  EXPECT_TRUE(normal.IsTrusted(0, 1));
  EXPECT_FALSE(normal.IsTrusted(1, 3));
  EXPECT_FALSE(normal.IsTrusted(3, 4));
  EXPECT_TRUE(normal.IsTrusted(4, 5));
}

}  // namespace
}  // namespace baton
