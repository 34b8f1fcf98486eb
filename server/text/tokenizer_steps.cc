#include "server/text/tokenizer_steps.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/text/pattern_rewrite.h"

namespace baton {
namespace {

// What the byte level splits by when it is told to. Source: openai/gpt-2 src/encoder.py.
constexpr absl::string_view kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

absl::Status NotSupported(const JsonPlace& type, absl::string_view name,
                          absl::string_view supported) {
  return type.Error(absl::StrCat(Quoted(name), " is not supported, only ", supported));
}

absl::StatusOr<SplitPattern> Compile(const JsonPlace& place, const std::string& pattern) {
  absl::StatusOr<SplitPattern> compiled = SplitPattern::Compile(pattern);
  if (!compiled.ok()) return place.Error(compiled.status().message());
  return compiled;
}

absl::StatusOr<SplitPattern> CompileRewritten(const JsonPlace& place, absl::string_view pattern) {
  const absl::StatusOr<std::string> rewritten = RewritePattern(pattern);
  if (!rewritten.ok()) return place.Error(rewritten.status().message());
  return Compile(place, *rewritten);
}

absl::StatusOr<SplitBehavior> ReadBehavior(const JsonPlace& place) {
  constexpr std::array<std::pair<absl::string_view, SplitBehavior>, 5> kNames = {{
      {"Isolated", SplitBehavior::kIsolated},
      {"Removed", SplitBehavior::kRemoved},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  }};
  BATON_ASSIGN_OR_RETURN(const std::string name, place.String());
  for (const auto& [known, behavior] : kNames) {
    if (name == known) return behavior;
  }
  return place.Error(absl::StrCat(Quoted(name), " is not a behaviour of splits"));
}

/// Adds the steps of one pre-tokenizer to the row.
class PreTokenizerReader {
 public:
  absl::Status Read(const JsonPlace& place) {
    BATON_ASSIGN_OR_RETURN(const std::string type, place.At("type").String());
    if (ended_) return place.Error("nothing may follow ByteLevel");
    if (type == "Sequence") return ReadSequence(place);
    if (++steps_ > kSplitStepsMax) return place.Error("too many pre-tokenizers");
    if (type == "Split") return ReadSplit(place);
    if (type == "Digits") return ReadDigits(place);
    if (type == "ByteLevel") return ReadByteLevel(place);
    return NotSupported(place.At("type"), type, "Sequence, Split, Digits and ByteLevel");
  }

  bool ended() const { return ended_; }
  PreTokenizer Take() { return std::move(row_); }

 private:
  absl::Status ReadSequence(const JsonPlace& place) {
    BATON_RETURN_IF_ERROR(place.AllowOnly({"type", "pretokenizers"}));
    BATON_ASSIGN_OR_RETURN(const auto items, place.At("pretokenizers").Items());
    for (const JsonPlace& item : items) BATON_RETURN_IF_ERROR(Read(item));
    return absl::OkStatus();
  }

  absl::Status ReadSplit(const JsonPlace& place) {
    BATON_RETURN_IF_ERROR(place.AllowOnly({"type", "pattern", "behavior", "invert"}));
    BATON_ASSIGN_OR_RETURN(const SplitBehavior behavior, ReadBehavior(place.At("behavior")));
    BATON_ASSIGN_OR_RETURN(const bool invert, place.At("invert").Bool());
    const JsonPlace pattern = place.At("pattern");
    BATON_RETURN_IF_ERROR(pattern.AllowOnly({"Regex", "String"}));
    if (pattern.At("Regex").is_present() == pattern.At("String").is_present()) {
      return pattern.Error("must hold either Regex or String");
    }
    if (pattern.At("Regex").is_present()) {
      BATON_ASSIGN_OR_RETURN(const std::string regex, pattern.At("Regex").String());
      BATON_ASSIGN_OR_RETURN(SplitPattern compiled, CompileRewritten(pattern.At("Regex"), regex));
      row_.Add(SplitStep{std::move(compiled), behavior, invert});
      return absl::OkStatus();
    }
    BATON_ASSIGN_OR_RETURN(const std::string literal, pattern.At("String").String());
    if (literal.empty() || literal.size() > kPatternBytesMax) {
      return pattern.At("String").Error("must not be empty, nor longer than a pattern may be");
    }
    BATON_ASSIGN_OR_RETURN(SplitPattern compiled,
                           Compile(pattern.At("String"), LiteralPattern(literal)));
    row_.Add(SplitStep{std::move(compiled), behavior, invert});
    return absl::OkStatus();
  }

  absl::Status ReadDigits(const JsonPlace& place) {
    BATON_RETURN_IF_ERROR(place.AllowOnly({"type", "individual_digits"}));
    BATON_ASSIGN_OR_RETURN(const bool individual, place.At("individual_digits").Bool());
    BATON_ASSIGN_OR_RETURN(SplitPattern compiled, Compile(place, DigitsPattern()));
    const auto behavior = individual ? SplitBehavior::kIsolated : SplitBehavior::kContiguous;
    row_.Add(SplitStep{std::move(compiled), behavior, false});
    return absl::OkStatus();
  }

  absl::Status ReadByteLevel(const JsonPlace& place) {
    BATON_RETURN_IF_ERROR(
        place.AllowOnly({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
    BATON_ASSIGN_OR_RETURN(const bool prefix, place.At("add_prefix_space").Bool());
    BATON_ASSIGN_OR_RETURN(const bool use_regex, place.At("use_regex").BoolOr(true));
    ended_ = true;
    if (prefix) row_.Add(PrefixSpaceStep{});
    if (!use_regex) return absl::OkStatus();
    BATON_ASSIGN_OR_RETURN(SplitPattern compiled, CompileRewritten(place, kByteLevelPattern));
    row_.Add(SplitStep{std::move(compiled), SplitBehavior::kIsolated, false});
    return absl::OkStatus();
  }

  PreTokenizer row_;
  std::size_t steps_ = 0;
  bool ended_ = false;
};

absl::StatusOr<TokenId> ReadId(const JsonPlace& place) {
  BATON_ASSIGN_OR_RETURN(const std::int64_t id, place.Int());
  if (id < 0 || id >= kTokenIdEnd) return place.Error("is no token id");
  return static_cast<TokenId>(id);
}

// {"SpecialToken": {"id": NAME}} or {"Sequence": {"id": "A"}}; NAME's ids stand in special_tokens.
absl::Status ReadTemplateItem(const JsonPlace& item, const JsonPlace& special_tokens,
                              AroundTokens& around, bool& after_text) {
  BATON_RETURN_IF_ERROR(item.AllowOnly({"SpecialToken", "Sequence"}));
  if (item.At("Sequence").is_present()) {
    BATON_ASSIGN_OR_RETURN(const std::string name, item.At("Sequence").At("id").String());
    if (name != "A" || after_text) return item.Error("a single text is A, once");
    after_text = true;
    return absl::OkStatus();
  }
  BATON_ASSIGN_OR_RETURN(const std::string name, item.At("SpecialToken").At("id").String());
  BATON_ASSIGN_OR_RETURN(const auto ids, special_tokens.At(name).At("ids").Items());
  for (const JsonPlace& place : ids) {
    BATON_ASSIGN_OR_RETURN(const TokenId id, ReadId(place));
    (after_text ? around.after : around.before).push_back(id);
  }
  return absl::OkStatus();
}

absl::StatusOr<AroundTokens> ReadTemplate(const JsonPlace& place) {
  BATON_RETURN_IF_ERROR(place.AllowOnly({"type", "single", "pair", "special_tokens"}));
  BATON_ASSIGN_OR_RETURN(const auto items, place.At("single").Items());
  AroundTokens around;
  bool after_text = false;
  for (const JsonPlace& item : items) {
    BATON_RETURN_IF_ERROR(ReadTemplateItem(item, place.At("special_tokens"), around, after_text));
  }
  if (!after_text) return place.At("single").Error("the text itself (A) is missing");
  return around;
}

// ["</s>", 2]
absl::StatusOr<TokenId> ReadNamedId(const JsonPlace& place) {
  BATON_ASSIGN_OR_RETURN(const auto items, place.Items());
  if (items.size() != 2) return place.Error("must be [name, id]");
  return ReadId(items[1]);
}

absl::StatusOr<AroundTokens> ReadClsSep(const JsonPlace& place) {
  BATON_RETURN_IF_ERROR(
      place.AllowOnly({"type", "sep", "cls", "trim_offsets", "add_prefix_space"}));
  BATON_ASSIGN_OR_RETURN(const TokenId begin, ReadNamedId(place.At("cls")));
  BATON_ASSIGN_OR_RETURN(const TokenId end, ReadNamedId(place.At("sep")));
  return AroundTokens{{begin}, {end}};
}

absl::StatusOr<AroundTokens> ReadProcessorSequence(const JsonPlace& place) {
  BATON_RETURN_IF_ERROR(place.AllowOnly({"type", "processors"}));
  BATON_ASSIGN_OR_RETURN(const auto items, place.At("processors").Items());
  AroundTokens all;
  for (const JsonPlace& item : items) {
    BATON_ASSIGN_OR_RETURN(const AroundTokens one, ReadPostProcessor(item));
    all.before.insert(all.before.begin(), one.before.begin(), one.before.end());
    all.after.insert(all.after.end(), one.after.begin(), one.after.end());
  }
  return all;
}

}  // namespace

absl::StatusOr<bool> ReadNormalizer(const JsonPlace& place) {
  if (!place.is_present()) return false;
  BATON_ASSIGN_OR_RETURN(const std::string type, place.At("type").String());
  if (type == "NFC") return true;
  if (type != "Sequence") return NotSupported(place.At("type"), type, "NFC and Sequence");
  BATON_RETURN_IF_ERROR(place.AllowOnly({"type", "normalizers"}));
  BATON_ASSIGN_OR_RETURN(const auto items, place.At("normalizers").Items());
  bool nfc = false;
  for (const JsonPlace& item : items) {
    BATON_ASSIGN_OR_RETURN(const bool one, ReadNormalizer(item));
    nfc = nfc || one;
  }
  return nfc;
}

absl::StatusOr<PreTokenizer> ReadPreTokenizer(const JsonPlace& place) {
  PreTokenizerReader reader;
  if (place.is_present()) BATON_RETURN_IF_ERROR(reader.Read(place));
  if (!reader.ended()) return place.Error("must end with ByteLevel: only byte-level BPE is read");
  return reader.Take();
}

absl::Status CheckDecoder(const JsonPlace& place) {
  BATON_ASSIGN_OR_RETURN(const std::string type, place.At("type").String());
  if (type == "ByteLevel") return absl::OkStatus();
  if (type != "Sequence") return NotSupported(place.At("type"), type, "ByteLevel");
  BATON_ASSIGN_OR_RETURN(const auto items, place.At("decoders").Items());
  if (items.size() != 1) return place.At("decoders").Error("must hold one decoder, ByteLevel");
  return CheckDecoder(items[0]);
}

absl::StatusOr<AroundTokens> ReadPostProcessor(const JsonPlace& place) {
  if (!place.is_present()) return AroundTokens{};
  BATON_ASSIGN_OR_RETURN(const std::string type, place.At("type").String());
  if (type == "ByteLevel") return AroundTokens{};  // about offsets alone
  if (type == "TemplateProcessing") return ReadTemplate(place);
  if (type == "BertProcessing" || type == "RobertaProcessing") return ReadClsSep(place);
  if (type == "Sequence") return ReadProcessorSequence(place);
  return NotSupported(place.At("type"), type,
                      "ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing, Sequence");
}

}  // namespace baton
