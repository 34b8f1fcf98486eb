// What a tokenizer.json may hold, and how each thing that it may not is refused.
#include "server/text/tokenizer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/text/hf_tokenizer.h"
#include "tests/server/text/golden_tokenizers.h"
#include "tests/server/text/small_tokenizer.h"

namespace baton::testing {
namespace {

using ::testing::HasSubstr;

std::string RefusalOf(const std::string& json) {
  const auto parts = ReadTokenizerJson(json);
  if (parts.ok()) return "it was accepted";
  EXPECT_EQ(parts.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(parts.status().message());
}

std::string RefusalOf(const SmallTokenizer& small) { return RefusalOf(small.Json()); }

TEST(TokenizerJsonTest, UnknownTypesAreRefusedByTheirPath) {
  SmallTokenizer normalizer;
  normalizer.normalizer = R"({"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"NFKC"}]})";
  EXPECT_THAT(RefusalOf(normalizer), HasSubstr("normalizer.normalizers[1].type: \"NFKC\""));
  SmallTokenizer pre;
  pre.pre_tokenizer = R"({"type":"Sequence","pretokenizers":[{"type":"Metaspace"}]})";
  EXPECT_THAT(RefusalOf(pre), HasSubstr("pre_tokenizer.pretokenizers[0].type: \"Metaspace\""));
  SmallTokenizer decoder;
  decoder.decoder = R"({"type":"WordPiece"})";
  EXPECT_THAT(RefusalOf(decoder), HasSubstr("decoder.type: \"WordPiece\""));
  SmallTokenizer post;
  post.post_processor = R"({"type":"Sequence","processors":[{"type":"Magic"}]})";
  EXPECT_THAT(RefusalOf(post), HasSubstr("post_processor.processors[0].type: \"Magic\""));
  SmallTokenizer model;
  const std::string unigram = absl::StrReplaceAll(model.Json(), {{"\"BPE\"", "\"Unigram\""}});
  EXPECT_THAT(RefusalOf(unigram), HasSubstr("model.type: \"Unigram\""));
}

TEST(TokenizerJsonTest, UnknownMembersAndSettingsThatChangeIdsAreRefused) {
  SmallTokenizer small;
  small.model_rest = R"("sparkle":1)";
  EXPECT_THAT(RefusalOf(small), HasSubstr("model: member \"sparkle\""));
  small.model_rest = R"("dropout":0.1)";
  EXPECT_THAT(RefusalOf(small), HasSubstr("model.dropout"));
  small.model_rest = R"("end_of_word_suffix":"</w>")";
  EXPECT_THAT(RefusalOf(small), HasSubstr("model.end_of_word_suffix"));
  small.model_rest = R"("unk_token":"!","byte_fallback":true,"continuing_subword_prefix":"")";
  EXPECT_EQ(RefusalOf(small), "it was accepted");  // all bytes are there: neither is ever used
  const std::string no_a = absl::StrReplaceAll(small.Json(), {{"\"a\":", "\"aa\":"}});
  EXPECT_THAT(RefusalOf(no_a), HasSubstr("model.byte_fallback: byte 0x61"));
  EXPECT_THAT(RefusalOf(absl::StrReplaceAll(small.Json(), {{"\"version\"", "\"wersion\""}})),
              HasSubstr("the file: member \"wersion\""));
}

TEST(TokenizerJsonTest, TheByteLevelComesLastAndOnce) {
  SmallTokenizer small;
  small.pre_tokenizer = "null";
  EXPECT_THAT(RefusalOf(small), HasSubstr("pre_tokenizer: must end with ByteLevel"));
  const std::string level = R"({"type":"ByteLevel","add_prefix_space":false})";
  small.pre_tokenizer =
      absl::StrCat(R"({"type":"Sequence","pretokenizers":[)", level, ",", level, "]}");
  EXPECT_THAT(RefusalOf(small), HasSubstr("pretokenizers[1]: nothing may follow ByteLevel"));
}

TEST(TokenizerJsonTest, VocabulariesAreChecked) {
  const std::string json = SmallTokenizer().Json();
  const auto with = [&json](const std::string& member) {
    return absl::StrReplaceAll(json, {{"\"vocab\":{", "\"vocab\":{" + member + ","}});
  };
  EXPECT_THAT(RefusalOf(with("\"zz\":7")), HasSubstr("its id 7 stands twice"));
  EXPECT_THAT(RefusalOf(with("\"zz\":999,\"zz\":998")), HasSubstr("model.vocab.\"zz\""));
  EXPECT_THAT(RefusalOf(with("\"zz\":-1")), HasSubstr("an id must lie in"));
  EXPECT_THAT(RefusalOf(with("\"zz\":4000000000")), HasSubstr("an id must lie in"));
  EXPECT_THAT(RefusalOf(with("\"zz\":\"7\"")), HasSubstr("must be a whole number"));
  EXPECT_THAT(RefusalOf(with("\"zz\":[7]")), HasSubstr("must be a whole number"));
  EXPECT_EQ(RefusalOf(with("\"zz\":99999")), "it was accepted");  // a gap is no mistake
  EXPECT_THAT(RefusalOf(R"({"model":{"type":"BPE","vocab":{},"merges":[]}})"),
              HasSubstr("model.vocab: is empty"));
  EXPECT_THAT(RefusalOf(R"({"model":{"type":"BPE","vocab":["a"],"merges":[]}})"),
              HasSubstr("model.vocab"));
  EXPECT_THAT(RefusalOf("{}"), HasSubstr("model"));
  EXPECT_THAT(RefusalOf("[]"), HasSubstr("the file: must be an object"));
  EXPECT_THAT(RefusalOf(""), HasSubstr("invalid JSON"));
}

TEST(TokenizerJsonTest, MergesMustNameTokensAndMakeOne) {
  SmallTokenizer small;
  small.tokens = {"ab"};
  small.merges = R"(["a b"])";
  EXPECT_EQ(RefusalOf(small), "it was accepted");
  small.merges = R"([["a","b"],["a","zz"]])";
  EXPECT_THAT(RefusalOf(small), HasSubstr("model.merges[1]: \"a\" and \"zz\""));
  small.merges = R"([["a","c"]])";
  EXPECT_THAT(RefusalOf(small), HasSubstr("model.merges[0]"));
  for (const char* broken : {R"(["ab"])", R"(["a b c"])", R"(["a  b"])", R"([["a"]])",
                             R"([["a","b","c"]])", R"([7])", R"([["a",7]])", R"({"a":"b"})"}) {
    small.merges = broken;
    EXPECT_THAT(RefusalOf(small), HasSubstr("model.merges")) << broken;
  }
}

TEST(TokenizerJsonTest, MergesMayStandBeforeTheVocabulary) {
  SmallTokenizer small;
  small.tokens = {"ab"};
  small.merges = R"(["a b"])";
  std::string json = absl::StrReplaceAll(small.Json(), {{R"(,"merges":["a b"])", ""}});
  json = absl::StrReplaceAll(json, {{R"("type":"BPE",)", R"("type":"BPE","merges":["a b"],)"}});
  const auto tokenizer = HfTokenizer::FromJson({json});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ(*(*tokenizer)->Encode("ab", {}), std::vector<TokenId>{256});
  const std::string unknown = absl::StrReplaceAll(json, {{"a b", "a zz"}});
  EXPECT_THAT(RefusalOf(unknown), HasSubstr("model.merges[0]"));
}

TEST(TokenizerJsonTest, AddedTokensHaveTheIdsThatThePackageGivesThem) {
  SmallTokenizer small;
  small.tokens = {"<a>"};
  small.added_tokens =
      absl::StrCat("[", AddedTokenJson(256, "<a>"), ",", AddedTokenJson(257, "<b>"), ",",
                   AddedTokenJson(258, "<c>"), "]");
  EXPECT_EQ(RefusalOf(small), "it was accepted");
  small.added_tokens = absl::StrCat("[", AddedTokenJson(260, "<b>"), "]");
  EXPECT_THAT(RefusalOf(small), HasSubstr("added_tokens[0].id: is 260, but by the vocabulary"));
  small.added_tokens = absl::StrCat("[", AddedTokenJson(5, "<a>"), "]");
  EXPECT_THAT(RefusalOf(small), HasSubstr("added_tokens[0].id: is 5"));
  small.added_tokens =
      absl::StrCat("[", AddedTokenJson(257, "<b>"), ",", AddedTokenJson(257, "<b>"), "]");
  EXPECT_THAT(RefusalOf(small), HasSubstr("added_tokens: a token stands twice"));
  small.added_tokens = absl::StrCat("[", AddedTokenJson(257, ""), "]");
  EXPECT_THAT(RefusalOf(small), HasSubstr("added_tokens[0].content"));
  small.added_tokens = absl::StrCat("[", AddedTokenJson(257, std::string(2000, 'x')), "]");
  EXPECT_THAT(RefusalOf(small), HasSubstr("added_tokens[0].content"));
  small.added_tokens = R"([{"id":257,"content":"<b>"}])";
  EXPECT_THAT(RefusalOf(small), HasSubstr("added_tokens[0].single_word"));
}

TEST(TokenizerJsonTest, PatternsAreRefusedWithTheirPathAndOffset) {
  SmallTokenizer small;
  small.pre_tokenizer = SplitJson(R"((a)\1)");
  EXPECT_THAT(RefusalOf(small),
              HasSubstr("pre_tokenizer.pretokenizers[0].pattern.Regex: pattern, offset 3"));
  small.pre_tokenizer = SplitJson("a", "Sideways");
  EXPECT_THAT(RefusalOf(small), HasSubstr("pretokenizers[0].behavior: \"Sideways\""));
}

TEST(TokenizerJsonTest, TemplatesPutTheirTokensAroundTheText) {
  SmallTokenizer small;
  const std::string special = R"("special_tokens":{"<s>":{"id":"<s>","ids":[7,8],"tokens":[]}}})";
  const std::string begin = R"({"SpecialToken":{"id":"<s>","type_id":0}})";
  const std::string text = R"({"Sequence":{"id":"A","type_id":0}})";
  const auto with = [&](const std::string& single) {
    small.post_processor =
        absl::StrCat(R"({"type":"TemplateProcessing","pair":[],"single":[)", single, "],", special);
    return RefusalOf(small);
  };
  EXPECT_EQ(with(absl::StrCat(begin, ",", text, ",", begin)), "it was accepted");
  const auto tokenizer = HfTokenizer::FromJson({small.Json()});
  ASSERT_TRUE(tokenizer.ok());
  const TokenId a = (*tokenizer)->Encode("a", {})->front();
  EXPECT_EQ(*(*tokenizer)->Encode("a", {.add_special_tokens = true}),
            (std::vector<TokenId>{7, 8, a, 7, 8}));
  EXPECT_THAT(with(begin), HasSubstr("post_processor.single"));
  EXPECT_THAT(with(absl::StrCat(text, ",", text)), HasSubstr("post_processor.single[1]"));
  EXPECT_THAT(with(R"({"SpecialToken":{"id":"<x>","type_id":0}})"),
              HasSubstr("post_processor.special_tokens.<x>.ids"));
}

TEST(TokenizerJsonTest, TheConfigurationsBeginTokenIsAddedOnce) {
  SmallTokenizer small;
  const std::string json = small.Json();
  const auto ids = [&json](const std::string& config) {
    const auto tokenizer = HfTokenizer::FromJson({json, config});
    return tokenizer.ok() ? *(*tokenizer)->Encode("", {.add_special_tokens = true})
                          : std::vector<TokenId>{-1};
  };
  EXPECT_EQ(ids("{}").size(), 0U);
  EXPECT_EQ(ids(R"({"add_bos_token":false,"bos_token":"a"})").size(), 0U);
  EXPECT_EQ(ids(R"({"add_bos_token":true,"bos_token":"a"})").size(), 1U);
  EXPECT_EQ(ids(R"({"add_bos_token":true,"bos_token":{"content":"a"}})").size(), 1U);
  EXPECT_EQ(ids(R"({"add_bos_token":true,"bos_token":"nope"})"), std::vector<TokenId>{-1});
  EXPECT_EQ(ids(R"({"add_bos_token":true})"), std::vector<TokenId>{-1});
  EXPECT_EQ(ids(R"({"add_bos_token":"yes"})"), std::vector<TokenId>{-1});
  EXPECT_EQ(ids("{").size(), 1U);
}

TEST(TokenizerJsonTest, DeepAndHugeFilesAreRefused) {
  const std::string deep = std::string(100000, '[');
  EXPECT_THAT(RefusalOf(deep), HasSubstr("nested too deeply"));
  SmallTokenizer small;
  small.normalizer = std::string(70, '[') + std::string(70, ']');
  EXPECT_THAT(RefusalOf(small), HasSubstr("nested too deeply"));
  std::string items = "0";
  for (int i = 0; i < 300000; ++i) items += ",0";
  small = {};
  small.added_tokens = "[" + items + "]";
  EXPECT_THAT(RefusalOf(small), HasSubstr("too many values"));
  std::string pretokenizers = R"({"type":"Digits","individual_digits":true})";
  for (int i = 0; i < 40; ++i) pretokenizers += R"(,{"type":"Digits","individual_digits":true})";
  small = {};
  small.pre_tokenizer =
      absl::StrCat(R"({"type":"Sequence","pretokenizers":[)", pretokenizers, "]}");
  EXPECT_THAT(RefusalOf(small), HasSubstr("too many pre-tokenizers"));
}

TEST(TokenizerJsonTest, AMillionTokensAreTheMost) {
  std::string json = R"({"model":{"type":"BPE","merges":[],"vocab":{"a":0)";
  for (std::size_t i = 1; i <= kVocabularyTokensMax; ++i)
    absl::StrAppend(&json, ",\"", i, "\":", i);
  EXPECT_THAT(RefusalOf(json + "}}}"), HasSubstr("1048576 tokens are the most"));
}

TEST(TokenizerJsonTest, EveryCutOfAFileIsAnErrorAndNoCrash) {
  const std::string json = GoldenTokenizerJson("tiny_qwen2");
  for (std::size_t size = 0; size < json.size(); size += 211) {
    EXPECT_FALSE(ReadTokenizerJson(json.substr(0, size)).ok());
  }
}

}  // namespace
}  // namespace baton::testing
