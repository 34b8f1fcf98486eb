#include "server/text/tool_call_markup.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "base/json.h"

namespace baton {
namespace {

using Read = ToolCallRead;

constexpr absl::string_view kHermesOpen = "<tool_call>";
constexpr absl::string_view kHermesClose = "</tool_call>";
constexpr absl::string_view kCallOpen =
    "<\xEF\xBD\x9Ctool\xE2\x96\x81"
    "call\xE2\x96\x81"
    "begin\xEF\xBD\x9C>";
constexpr absl::string_view kCallClose =
    "<\xEF\xBD\x9Ctool\xE2\x96\x81"
    "call\xE2\x96\x81"
    "end\xEF\xBD\x9C>";
constexpr absl::string_view kSeparator = "<\xEF\xBD\x9Ctool\xE2\x96\x81sep\xEF\xBD\x9C>";
constexpr absl::string_view kFence = "```";
constexpr std::size_t kNameBytesMax = 256;

/// Takes words off the front of a text that may still be growing. The first thing that is missing
/// or wrong decides the verdict.
class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text) {}

  void Space() {
    while (at_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  // `word`, after white space.
  bool Word(absl::string_view word) {
    Space();
    return Exactly(word);
  }

  bool Exactly(absl::string_view word) {
    if (verdict_ != Read::kDone) return false;
    const absl::string_view rest = text_.substr(at_);
    if (absl::StartsWith(rest, word)) {
      at_ += word.size();
      return true;
    }
    verdict_ = absl::StartsWith(word, rest) ? Read::kMore : Read::kFailed;
    return false;
  }

  bool Sees(absl::string_view word) const { return absl::StartsWith(text_.substr(at_), word); }

  // Up to `end`, which is taken too. Bounded: a name is short.
  bool Until(absl::string_view end, std::string& value) {
    if (verdict_ != Read::kDone) return false;
    const std::size_t found = text_.find(end, at_);
    if (found == absl::string_view::npos) {
      verdict_ = text_.size() - at_ > kNameBytesMax + end.size() ? Read::kFailed : Read::kMore;
      return false;
    }
    value = std::string(text_.substr(at_, found - at_));
    at_ = found + end.size();
    return true;
  }

  // A JSON string, after white space.
  bool Text(std::string& value) {
    if (!Word("\"")) return false;
    std::size_t end = at_;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) {
      verdict_ = end - at_ > kNameBytesMax ? Read::kFailed : Read::kMore;
      return false;
    }
    const absl::StatusOr<JsonValue> json = ParseJson(text_.substr(at_ - 1, end + 2 - at_));
    if (!json.ok()) {
      verdict_ = Read::kFailed;
      return false;
    }
    value = *json->AsString();
    at_ = end + 1;
    return true;
  }

  bool AtEnd() const { return at_ >= text_.size(); }
  void Fail(Read verdict) { verdict_ = verdict; }
  std::size_t at() const { return at_; }
  Read verdict() const { return verdict_; }

 private:
  const absl::string_view text_;
  std::size_t at_ = 0;
  Read verdict_ = Read::kDone;
};

// `"name": "f", "arguments": ` up to the brace; `parameters` is what Llama says.
void JsonHead(Reader& reader, ToolCallHead& head) {
  std::string key;
  if (!reader.Text(key)) return;
  if (key != "name") return reader.Fail(Read::kFailed);
  if (!reader.Word(":") || !reader.Text(head.name) || !reader.Word(",") || !reader.Text(key))
    return;
  if (key != "arguments" && key != "parameters") return reader.Fail(Read::kFailed);
  if (reader.Word(":")) reader.Space();
}

void DeepSeekHead(Reader& reader, ToolCallHead& head) {
  std::string before;
  if (!reader.Until(kSeparator, before)) return;
  reader.Space();
  if (reader.AtEnd()) return reader.Fail(Read::kMore);
  if (reader.Sees("{")) {  // V3.1
    head.name = before;
    return;
  }
  if (!reader.Until("\n", head.name)) return;
  if (reader.Exactly(kFence) && reader.Exactly("json")) reader.Space();
}

}  // namespace

absl::string_view ToolCallOpener(ToolCallMarkup markup) {
  switch (markup) {
    case ToolCallMarkup::kHermes:
      return kHermesOpen;
    case ToolCallMarkup::kLlamaJson:
      return "{";
    case ToolCallMarkup::kDeepSeek:
      return kCallOpen;
    case ToolCallMarkup::kNone:
      break;
  }
  return {};
}

Read ReadToolCallHead(ToolCallMarkup markup, absl::string_view text, ToolCallHead& head) {
  Reader reader(text);
  if (markup == ToolCallMarkup::kDeepSeek) {
    DeepSeekHead(reader, head);
  } else if (markup == ToolCallMarkup::kLlamaJson || reader.Word("{")) {
    JsonHead(reader, head);
  }
  if (reader.verdict() != Read::kDone) return reader.verdict();
  if (reader.AtEnd()) return Read::kMore;
  if (!reader.Sees("{") || head.name.empty() || head.name.size() > kNameBytesMax) {
    return Read::kFailed;
  }
  head.size = reader.at();
  return Read::kDone;
}

Read ReadToolCallTail(ToolCallMarkup markup, absl::string_view text, std::size_t& size) {
  Reader reader(text);
  reader.Space();
  if (markup == ToolCallMarkup::kDeepSeek) {
    if (reader.Sees("`")) reader.Exactly(kFence);
    reader.Word(kCallClose);
  } else {
    reader.Word("}");
    if (markup == ToolCallMarkup::kHermes) reader.Word(kHermesClose);
  }
  size = reader.at();
  return reader.verdict();
}

}  // namespace baton
