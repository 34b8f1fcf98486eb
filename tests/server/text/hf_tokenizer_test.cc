// What nobody vouches for stays text; any bytes come back; long and odd texts end in time.
#include "server/text/hf_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/text/detokenizer.h"
#include "tests/server/text/golden_tokenizers.h"
#include "tests/server/text/small_tokenizer.h"

namespace baton::testing {
namespace {

using ::testing::ElementsAre;

std::unique_ptr<HfTokenizer> Made(const std::string& json) {
  auto tokenizer = HfTokenizer::FromJson({json});
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return *std::move(tokenizer);
}

std::string BytesOf(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  std::string bytes;
  for (const TokenId id : ids) absl::StrAppend(&bytes, tokenizer.BytesOf(id));
  return bytes;
}

/// Ids 256 "<|a|>" (special), 257 "<tool>" (not special), 258 "word" (a merge makes it, too).
SmallTokenizer WithControls() {
  SmallTokenizer small;
  small.tokens = {"wo", "rd", "word"};
  small.merges = R"([["w","o"],["r","d"],["wo","rd"]])";
  small.added_tokens = absl::StrCat("[", AddedTokenJson(258, "word", {"special"}), ",",
                                    AddedTokenJson(259, "<|a|>", {"special"}), ",",
                                    AddedTokenJson(260, "<tool>", {"lstrip", "rstrip"}), "]");
  return small;
}

TEST(HfTokenizerTest, UntrustedTextNeverBecomesAControlToken) {
  for (const std::string& json : {WithControls().Json(), [] {
                                    SmallTokenizer small = WithControls();
                                    small.model_rest = R"("ignore_merges":true)";
                                    return small.Json();
                                  }()}) {
    const auto tokenizer = Made(json);
    for (const std::string text : {"<|a|>", "<tool>", "word", "a word <|a|>word"}) {
      const std::vector<TextRun> runs = {{text, false}};
      const auto ids = *tokenizer->EncodeRuns(runs);
      for (const TokenId id : ids) EXPECT_LT(id, 258) << text;
      EXPECT_EQ(BytesOf(*tokenizer, ids), text);
      EXPECT_EQ(*tokenizer->Encode(text, {.parse_special_tokens = false}), ids);
    }
    EXPECT_THAT(*tokenizer->Encode("<|a|>word", {}), ElementsAre(259, 258));
  }
}

TEST(HfTokenizerTest, NoControlTokenStraddlesABorder) {
  const auto tokenizer = Made(WithControls().Json());
  for (const bool first : {true, false}) {
    const std::vector<TextRun> runs = {{"<|", first}, {"a|>", !first}};
    const auto ids = *tokenizer->EncodeRuns(runs);
    EXPECT_EQ(std::count(ids.begin(), ids.end(), 259), 0);
    EXPECT_EQ(BytesOf(*tokenizer, ids), "<|a|>");
  }
  // Merges that reach across a border make no control token either.
  const std::vector<TextRun> merged = {{"wo", true}, {"rd", false}};
  EXPECT_THAT(*tokenizer->EncodeRuns(merged), ElementsAre(256, 257));
  // Two trusted runs are one text.
  const std::vector<TextRun> trusted = {{"<|", true}, {"a|>", true}};
  EXPECT_THAT(*tokenizer->EncodeRuns(trusted), ElementsAre(259));
}

TEST(HfTokenizerTest, HarmlessRunsHaveTheIdsOfTheWholeText) {
  std::mt19937 random(3);
  for (const GoldenTokenizer& golden : ReadGoldenTokenizers()) {
    for (const GoldenCase& row : golden.cases) {
      if (!row.text.has_value() || row.text->size() < 2 || row.text->size() > 200) continue;
      const auto plain = *golden.tokenizer->Encode(*row.text, {.parse_special_tokens = false});
      if (plain != row.ids) continue;  // it holds added tokens
      const std::size_t cut = 1 + random() % (row.text->size() - 1);
      if (!IsWholeUtf8(row.text->substr(0, cut))) continue;
      const std::vector<TextRun> runs = {{row.text->substr(0, cut), true},
                                         {row.text->substr(cut), false}};
      EXPECT_EQ(*golden.tokenizer->EncodeRuns(runs), row.ids) << golden.name << ": " << *row.text;
    }
  }
}

TEST(HfTokenizerTest, BlanksGoToTheTokenThatSwallowsThemAcrossBorders) {
  const auto tokenizer = Made(WithControls().Json());
  const std::vector<TextRun> runs = {{" ", false}, {"<tool>", true}, {" \n", false}};
  EXPECT_THAT(*tokenizer->EncodeRuns(runs), ElementsAre(260));
}

TEST(HfTokenizerTest, AnyBytesComeBack) {
  std::mt19937 random(11);
  for (const GoldenTokenizer& golden : ReadGoldenTokenizers()) {
    ASSERT_EQ(golden.tokenizer->bytes_missing(), 0);
    EXPECT_TRUE(golden.tokenizer->is_machine_code());
    if (golden.name.find("qwen") != std::string::npos) continue;  // composes: other bytes by design
    for (int round = 0; round < 500; ++round) {
      std::string bytes;
      for (unsigned i = 0; i < random() % 40; ++i) {
        const unsigned kind = random() % 4;
        if (kind == 0) bytes += static_cast<char>(random() % 256);
        if (kind == 1) bytes += static_cast<char>(random() % 128);
        if (kind == 2) bytes += "\xE6\xBC\xA2";
        if (kind == 3) bytes += " a1\n"[random() % 4];
      }
      const auto ids = golden.tokenizer->Encode(bytes, {.parse_special_tokens = false});
      ASSERT_TRUE(ids.ok());
      ASSERT_EQ(BytesOf(*golden.tokenizer, *ids), bytes) << golden.name;
    }
  }
}

TEST(HfTokenizerTest, IdsOutsideTheVocabularyHaveNoText) {
  const auto tokenizer = Made(WithControls().Json());
  for (const TokenId id : {-1, 261, 1 << 30, -(1 << 30)}) {
    EXPECT_EQ(tokenizer->BytesOf(id), "");
    EXPECT_FALSE(tokenizer->IsSpecial(id));
  }
  EXPECT_TRUE(tokenizer->IsSpecial(259));
  EXPECT_FALSE(tokenizer->IsSpecial(260));
}

TEST(HfTokenizerTest, ThreadsShareOne) {
  const GoldenTokenizer golden = std::move(ReadGoldenTokenizers().front());
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&golden] {
      for (const GoldenCase& row : golden.cases) {
        if (row.text.has_value()) {
          EXPECT_EQ(*golden.tokenizer->Encode(*row.text, {}), row.ids);
        }
      }
    });
  }
}

TEST(HfTokenizerTest, APieceCacheThatIsFullStartsAnew) {
  const auto tokenizer = Made(SmallTokenizer().Json());
  std::string text;
  for (std::size_t i = 0; i < PieceCache::kPiecesMax + 100; ++i) absl::StrAppend(&text, " w", i);
  const auto first = *tokenizer->Encode(text, {});
  EXPECT_EQ(*tokenizer->Encode(text, {}), first);
  EXPECT_EQ(BytesOf(*tokenizer, first), text);
}

TEST(HfTokenizerTest, APrefixSpaceIsAddedWhereThePieceHasNone) {
  SmallTokenizer small;
  small.pre_tokenizer =
      R"({"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true})";
  const auto tokenizer = Made(small.Json());
  EXPECT_EQ(BytesOf(*tokenizer, *tokenizer->Encode("ab c", {})), " ab c");
  EXPECT_EQ(BytesOf(*tokenizer, *tokenizer->Encode(" ab", {})), " ab");
  EXPECT_EQ(BytesOf(*tokenizer, *tokenizer->Encode("", {})), "");
}

}  // namespace
}  // namespace baton::testing
