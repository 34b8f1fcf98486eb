#include "server/text/tokenizer_json.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/json.h"
#include "base/status.h"
#include "server/text/byte_letters.h"
#include "server/text/json_place.h"
#include "server/text/tokenizer_steps.h"

namespace baton {
namespace {

constexpr std::size_t kTreeValuesMax = 1 << 18;  // of all but vocabulary and merges

/// Fills the tables of TokenizerParts while the file is parsed.
class TableReader {
 public:
  explicit TableReader(TokenizerParts& parts) : parts_(parts) {}

  absl::StatusOr<JsonValue> Parse(absl::string_view json) {
    const JsonLimits limits{kTokenizerFileDepthMax, kTreeValuesMax};
    const std::vector<JsonTable> tables = {
        {{"model", "vocab"},
         [this](absl::string_view name, const JsonValue& id) { return TakeToken(name, id); }},
        {{"model", "merges"},
         [this](absl::string_view, const JsonValue& pair) { return TakeMerge(pair); }}};
    BATON_ASSIGN_OR_RETURN(JsonValue tree, ParseJsonTables(json, tables, limits));
    if (merges_came_first_) {  // read again, now that their tokens are known
      reading_merges_alone_ = true;
      BATON_ASSIGN_OR_RETURN(tree, ParseJsonTables(json, tables, limits));
    }
    return tree;
  }

 private:
  absl::Status TakeToken(absl::string_view name, const JsonValue& value) {
    if (reading_merges_alone_) return absl::OkStatus();
    const JsonPlace place(&value, absl::StrCat("model.vocab.", Quoted(name)));
    BATON_ASSIGN_OR_RETURN(const std::int64_t id, place.Int());
    if (id < 0 || id >= kTokenIdEnd) {
      return place.Error(absl::StrFormat("an id must lie in 0..%d", kTokenIdEnd - 1));
    }
    if (parts_.vocabulary.size() + parts_.unspelled.size() == kVocabularyTokensMax) {
      return place.Error(absl::StrFormat("%d tokens are the most", kVocabularyTokensMax));
    }
    const auto token = static_cast<TokenId>(id);
    const bool spelled = BytesFromLetters(name, bytes_);
    TokenTable& table = spelled ? parts_.vocabulary : parts_.unspelled;
    const TokenTable& other = spelled ? parts_.unspelled : parts_.vocabulary;
    if (other.Contains(token) || !table.Add(spelled ? absl::string_view(bytes_) : name, token)) {
      return place.Error(absl::StrFormat("the name or its id %d stands twice", id));
    }
    return absl::OkStatus();
  }

  absl::Status TakeMerge(const JsonValue& value) {
    const bool tokens_known = parts_.vocabulary.size() > 0 || reading_merges_alone_;
    if (!tokens_known) {
      merges_came_first_ = true;
      return absl::OkStatus();
    }
    const JsonPlace place(&value, absl::StrCat("model.merges[", merges_, "]"));
    if (merges_ == kMergesMax) {
      return place.Error(absl::StrFormat("%d merges are the most", kMergesMax));
    }
    std::string left;
    std::string right;
    BATON_RETURN_IF_ERROR(ReadPair(place, value, left, right));
    const TokenId tokens[] = {parts_.Find(left), parts_.Find(right),
                              parts_.Find(absl::StrCat(left, right))};
    for (const TokenId token : tokens) {
      if (token == kNoToken) {
        return place.Error(absl::StrCat(Quoted(left), " and ", Quoted(right),
                                        ": one of them, or what they merge to, is no token"));
      }
    }
    parts_.merges.Set(tokens[0], tokens[1], {static_cast<std::uint32_t>(merges_), tokens[2]});
    ++merges_;
    return absl::OkStatus();
  }

  // ["a", "b"] or "a b".
  static absl::Status ReadPair(const JsonPlace& place, const JsonValue& value, std::string& left,
                               std::string& right) {
    if (const std::string* text = value.AsString()) {
      const std::size_t blank = text->find(' ');
      if (blank == std::string::npos || text->find(' ', blank + 1) != std::string::npos) {
        return place.Error("must be two tokens with one blank between them");
      }
      left = text->substr(0, blank);
      right = text->substr(blank + 1);
      return absl::OkStatus();
    }
    BATON_ASSIGN_OR_RETURN(const auto items, place.Items());
    if (items.size() != 2) return place.Error("must be two tokens");
    BATON_ASSIGN_OR_RETURN(left, items[0].String());
    BATON_ASSIGN_OR_RETURN(right, items[1].String());
    return absl::OkStatus();
  }

  TokenizerParts& parts_;
  std::size_t merges_ = 0;
  bool merges_came_first_ = false;
  bool reading_merges_alone_ = false;
  std::string bytes_;  // of the token at hand
};

// Settings of the model that would change ids, and that no byte-level model uses.
absl::Status CheckModel(const JsonPlace& model, const TokenizerParts& parts) {
  BATON_RETURN_IF_ERROR(model.AllowOnly(
      {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
       "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges"}));
  if (model.At("type").is_present()) {
    BATON_ASSIGN_OR_RETURN(const std::string type, model.At("type").String());
    if (type != "BPE") return model.At("type").Error(Quoted(type) + " is not supported, only BPE");
  }
  BATON_RETURN_IF_ERROR(model.At("vocab").AllowOnly({}));
  BATON_RETURN_IF_ERROR(model.At("merges").Items().status());
  if (parts.vocabulary.size() == 0) return model.At("vocab").Error("is empty");
  if (model.At("dropout").is_present()) return model.At("dropout").Error("must be null");
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.At(affix).is_present()) continue;
    BATON_ASSIGN_OR_RETURN(const std::string text, model.At(affix).String());
    if (!text.empty()) return model.At(affix).Error("must be null or empty");
  }
  return absl::OkStatus();
}

// What stands for a byte without a token: nothing needs to as long as all 256 have one.
absl::Status CheckUnknown(const JsonPlace& model, const TokenizerParts& parts) {
  BATON_ASSIGN_OR_RETURN(const bool fallback, model.At("byte_fallback").BoolOr(false));
  const bool unknown = model.At("unk_token").is_present();
  for (int byte = 0; byte < 256 && (fallback || unknown); ++byte) {
    const char letter = static_cast<char>(byte);
    if (parts.vocabulary.Find({&letter, 1}) != kNoToken) continue;
    return model.At(fallback ? "byte_fallback" : "unk_token")
        .Error(absl::StrFormat(
            "byte 0x%02x has no token, and only null and false are supported then", byte));
  }
  return absl::OkStatus();
}

absl::StatusOr<AddedToken> ReadAddedToken(const JsonPlace& place) {
  BATON_RETURN_IF_ERROR(place.AllowOnly(
      {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"}));
  AddedToken token;
  BATON_ASSIGN_OR_RETURN(const std::int64_t id, place.At("id").Int());
  if (id < 0 || id >= kTokenIdEnd) return place.At("id").Error("is no token id");
  token.id = static_cast<TokenId>(id);
  BATON_ASSIGN_OR_RETURN(token.content, place.At("content").String());
  if (token.content.empty() || token.content.size() > kAddedTokenBytesMax) {
    return place.At("content").Error(
        absl::StrFormat("must have 1 to %d bytes", kAddedTokenBytesMax));
  }
  BATON_ASSIGN_OR_RETURN(token.single_word, place.At("single_word").Bool());
  BATON_ASSIGN_OR_RETURN(token.lstrip, place.At("lstrip").Bool());
  BATON_ASSIGN_OR_RETURN(token.rstrip, place.At("rstrip").Bool());
  BATON_ASSIGN_OR_RETURN(token.normalized, place.At("normalized").Bool());
  BATON_ASSIGN_OR_RETURN(token.special, place.At("special").Bool());
  return token;
}

// The published reader gives an added token the id of the vocabulary's token of that name, or else
// the next free one, whatever the file says. A file that says otherwise is refused.
class AddedIdRule {
 public:
  explicit AddedIdRule(const TokenizerParts& parts)
      : parts_(parts),
        next_(static_cast<std::int64_t>(parts.vocabulary.size() + parts.unspelled.size())) {}

  absl::Status Check(const JsonPlace& place, const AddedToken& token) {
    const TokenId known = parts_.Find(token.content);
    if (known != kNoToken) return Expect(place, token, known);
    BATON_RETURN_IF_ERROR(Expect(place, token, next_));
    ++next_;
    const bool taken = parts_.vocabulary.Contains(token.id) || parts_.unspelled.Contains(token.id);
    return taken ? place.At("id").Error("belongs to another token") : absl::OkStatus();
  }

 private:
  static absl::Status Expect(const JsonPlace& place, const AddedToken& token, std::int64_t id) {
    if (token.id == id) return absl::OkStatus();
    return place.At("id").Error(absl::StrFormat("is %d, but by the vocabulary %s is %d", token.id,
                                                Quoted(token.content), id));
  }

  const TokenizerParts& parts_;
  std::int64_t next_;
};

absl::Status ReadAddedTokens(const JsonPlace& place, TokenizerParts& parts) {
  if (!place.is_present()) return absl::OkStatus();
  BATON_ASSIGN_OR_RETURN(const auto items, place.Items());
  if (items.size() > kAddedTokensMax) {
    return place.Error(absl::StrFormat("%d are the most", kAddedTokensMax));
  }
  AddedIdRule rule(parts);
  for (const JsonPlace& item : items) {
    BATON_ASSIGN_OR_RETURN(AddedToken token, ReadAddedToken(item));
    BATON_RETURN_IF_ERROR(rule.Check(item, token));
    parts.added_tokens.push_back(std::move(token));
  }
  std::vector<TokenId> ids;
  for (const AddedToken& token : parts.added_tokens) ids.push_back(token.id);
  std::sort(ids.begin(), ids.end());
  if (std::adjacent_find(ids.begin(), ids.end()) != ids.end()) {
    return place.Error("a token stands twice");
  }
  return absl::OkStatus();
}

}  // namespace

TokenId TokenizerParts::Find(absl::string_view name) const {
  std::string bytes;
  const TokenId id = BytesFromLetters(name, bytes) ? vocabulary.Find(bytes) : unspelled.Find(name);
  if (id != kNoToken) return id;
  for (const AddedToken& token : added_tokens) {
    if (token.content == name) return token.id;
  }
  return kNoToken;
}

absl::StatusOr<TokenizerParts> ReadTokenizerJson(absl::string_view json) {
  if (json.size() > kTokenizerFileBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%d bytes; %d are the most", json.size(), kTokenizerFileBytesMax));
  }
  TokenizerParts parts;
  BATON_ASSIGN_OR_RETURN(const JsonValue tree, TableReader(parts).Parse(json));
  const JsonPlace root(&tree, "");
  BATON_RETURN_IF_ERROR(root.AllowOnly({"version", "truncation", "padding", "added_tokens",
                                        "normalizer", "pre_tokenizer", "post_processor", "decoder",
                                        "model"}));  // truncation and padding are the caller's
  const JsonPlace model = root.At("model");
  BATON_RETURN_IF_ERROR(CheckModel(model, parts));
  BATON_RETURN_IF_ERROR(CheckUnknown(model, parts));
  BATON_ASSIGN_OR_RETURN(parts.ignore_merges, model.At("ignore_merges").BoolOr(false));
  BATON_RETURN_IF_ERROR(ReadAddedTokens(root.At("added_tokens"), parts));
  BATON_ASSIGN_OR_RETURN(parts.nfc, ReadNormalizer(root.At("normalizer")));
  BATON_ASSIGN_OR_RETURN(parts.pre_tokenizer, ReadPreTokenizer(root.At("pre_tokenizer")));
  BATON_RETURN_IF_ERROR(CheckDecoder(root.At("decoder")));
  BATON_ASSIGN_OR_RETURN(parts.around, ReadPostProcessor(root.At("post_processor")));
  return parts;
}

}  // namespace baton
