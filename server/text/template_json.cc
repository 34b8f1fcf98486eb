// The `tojson` of chat templates: json.dumps with its separators, and without HTML escapes.
#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/template_native.h"
#include "server/text/template_print.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

constexpr std::int64_t kValueParts = 2;

void AppendUnit(char32_t unit, std::string& out) {
  absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned>(unit));
}

void AppendJsonCharacter(char32_t code, bool ascii, std::string& out) {
  constexpr absl::string_view kShort = "\"\\\n\r\t\f\b";
  constexpr absl::string_view kLetters = "\"\\nrtfb";
  const std::size_t found =
      code < 0x80 ? kShort.find(static_cast<char>(code)) : absl::string_view::npos;
  if (found != absl::string_view::npos) {
    out += '\\';
    out += kLetters[found];
  } else if (code < 0x20) {
    AppendUnit(code, out);
  } else if (code < 0x7F || !ascii) {
    AppendUtf8(code, out);
  } else if (code == 0x7F) {
    out += '\x7F';
  } else if (code < 0x10000) {
    AppendUnit(code, out);
  } else {
    AppendUnit(0xD800 + ((code - 0x10000) >> 10), out);
    AppendUnit(0xDC00 + ((code - 0x10000) & 0x3FF), out);
  }
}

std::string JsonNumber(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return ReprOf(value);
}

class JsonWriter {
 public:
  JsonWriter(const TemplateJsonStyle& style, TemplateHeap& heap) : style_(style), heap_(heap) {}

  absl::Status Append(const TemplateValue& value, int depth) {
    BATON_RETURN_IF_ERROR(heap_.Spend(kValueParts));
    if (depth > kTemplateValueDepthMax) return TemplateError("tojson: a value nested too deep");
    if (out_.size() > kTemplateOutputBytesMax) {
      return absl::ResourceExhaustedError("tojson: the text is too large");
    }
    if (value.text() != nullptr) {
      BATON_RETURN_IF_ERROR(heap_.SpendBytes(value.text()->bytes.size()));
      AppendString(value.text()->bytes);
      return absl::OkStatus();
    }
    if (AppendScalar(value)) return absl::OkStatus();
    const TemplateList* list = value.list();
    if (list != nullptr && list->flavor <= TemplateList::Flavor::kTuple) {
      return AppendList(*list, depth + 1);
    }
    if (value.dict() != nullptr) return AppendDict(*value.dict(), depth + 1);
    return TemplateError(absl::StrFormat("tojson: a %s is not JSON", TypeNameOf(value)));
  }

  std::string Take() { return std::move(out_); }

 private:
  bool AppendScalar(const TemplateValue& value) {
    if (value.none()) {
      out_ += "null";
    } else if (const bool* flag = std::get_if<bool>(&value.storage)) {
      out_ += *flag ? "true" : "false";
    } else if (const auto* whole = std::get_if<std::int64_t>(&value.storage)) {
      out_ += std::to_string(*whole);
    } else if (const auto* large = std::get_if<std::uint64_t>(&value.storage)) {
      out_ += std::to_string(*large);
    } else if (const auto* real = std::get_if<double>(&value.storage)) {
      out_ += JsonNumber(*real);
    } else {
      return false;
    }
    return true;
  }

  void AppendString(absl::string_view text) {
    out_ += '"';
    for (std::size_t at = 0; at < text.size(); at += CharacterBytes(text[at])) {
      AppendJsonCharacter(CharacterAt(text, at).code, style_.ascii, out_);
    }
    out_ += '"';
  }

  void BreakLine(int depth) {
    if (!style_.pretty) return;
    out_ += '\n';
    for (int i = 0; i < depth; ++i) out_ += style_.indent;
  }

  absl::Status AppendList(const TemplateList& list, int depth) {
    out_ += '[';
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      BreakLine(depth);
      BATON_RETURN_IF_ERROR(Append(list.items[i], depth));
    }
    if (!list.items.empty()) BreakLine(depth - 1);
    out_ += ']';
    return absl::OkStatus();
  }

  // Keys that are not texts are written as texts of what they print in JSON.
  void AppendKey(const TemplateValue& key) {
    if (key.text() != nullptr) return AppendString(key.text()->bytes);
    out_ += '"';
    AppendScalar(key);
    out_ += '"';
  }

  absl::Status AppendDict(const TemplateDict& dict, int depth) {
    std::vector<TemplateHeap::Member> members(dict.members.begin(), dict.members.end());
    if (style_.sorted) BATON_RETURN_IF_ERROR(Sort(members));
    out_ += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      BreakLine(depth);
      AppendKey(members[i].first);
      out_ += style_.key_separator;
      BATON_RETURN_IF_ERROR(Append(members[i].second, depth));
    }
    if (!members.empty()) BreakLine(depth - 1);
    out_ += '}';
    return absl::OkStatus();
  }

  static absl::Status Sort(std::vector<TemplateHeap::Member>& members) {
    for (const auto& [key, value] : members) {
      if (key.text() == nullptr) return TemplateError("tojson: only text keys can be sorted");
    }
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
      return a.first.text()->bytes < b.first.text()->bytes;
    });
    return absl::OkStatus();
  }

  const TemplateJsonStyle& style_;
  TemplateHeap& heap_;
  std::string out_;
};

}  // namespace

absl::StatusOr<TemplateValue> JsonText(const TemplateValue& value, const TemplateJsonStyle& style,
                                       TemplateHeap& heap) {
  JsonWriter writer(style, heap);
  BATON_RETURN_IF_ERROR(writer.Append(value, 0));
  TemplateTextBuilder text = NewTextBuilder();
  text.Append(writer.Take(), IsTrusted(value));
  return heap.Text(text);
}

}  // namespace baton
