#include "server/text/template_text_ops.h"

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "server/text/template_letters.h"
#include "server/text/template_native.h"
#include "server/text/template_print.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

using Result = absl::StatusOr<TemplateValue>;

bool HasCharacter(absl::string_view set, char32_t code) {
  for (std::size_t at = 0; at < set.size(); at += CharacterBytes(set[at])) {
    if (CharacterAt(set, at).code == code) return true;
  }
  return false;
}

Result SplitAtSpace(const TemplateText& text, std::int64_t count, TemplateHeap& heap) {
  std::vector<TemplateValue> parts;
  const absl::string_view bytes = text.bytes;
  std::size_t at = 0;
  for (;;) {
    at = bytes.size() - StripLeft(bytes.substr(at)).size();
    if (at >= bytes.size()) break;
    std::size_t end = at;
    if (count >= 0 && static_cast<std::int64_t>(parts.size()) == count) {
      end = at + StripRight(bytes.substr(at)).size();
      parts.push_back(heap.Slice(text, at, end));
      break;
    }
    while (end < bytes.size() && !IsSpace(CharacterAt(bytes, end).code)) {
      end += CharacterBytes(bytes[end]);
    }
    parts.push_back(heap.Slice(text, at, end));
    BATON_RETURN_IF_ERROR(heap.Check());
    at = end;
  }
  return heap.List(parts);
}

// How often `from` is found is known before the text is built, so its size is, too.
Result ReplaceEverywhere(const TemplateText& text, const TemplateText& to, std::int64_t count,
                         TemplateHeap& heap) {
  TemplateTextBuilder out = NewTextBuilder();
  std::size_t at = 0;
  for (;; --count) {
    if (count != 0) out.Append(to);
    if (at >= text.bytes.size() || out.overflowed()) break;
    const std::size_t next = count == 0 ? text.bytes.size() : at + CharacterBytes(text.bytes[at]);
    out.Append(text, at, next);
    at = next;
    if (count == 0) break;
  }
  return heap.Text(out);
}

}  // namespace

Result WithCase(const TemplateText& text, TemplateLetterCase letters, TemplateHeap& heap) {
  BATON_RETURN_IF_ERROR(heap.SpendBytes(text.bytes.size()));
  TemplateTextBuilder out = NewTextBuilder();
  std::string changed;
  std::size_t at = 0;
  for (std::size_t run = 0; run <= text.borders.size(); ++run) {
    const std::size_t end = run < text.borders.size() ? text.borders[run] : text.bytes.size();
    changed.clear();
    const bool trusted = text.TrustedAt(at);
    for (; at < end; at += CharacterBytes(text.bytes[at])) {
      if (letters == TemplateLetterCase::kUpper) {
        AppendUpper(text.bytes, at, changed);
      } else if (letters == TemplateLetterCase::kCapitalized && at == 0) {
        AppendTitle(text.bytes, at, changed);
      } else {
        AppendLower(text.bytes, at, changed);
      }
    }
    out.Append(changed, trusted);
  }
  return heap.Text(out);
}

Result Stripped(const TemplateText& text, const TemplateValue& chars, TemplateStripEnds ends,
                TemplateHeap& heap) {
  const absl::string_view bytes = text.bytes;
  BATON_RETURN_IF_ERROR(heap.SpendBytes(bytes.size()));
  const bool space = chars.missing() || chars.none();
  absl::string_view set;
  if (!space) {
    BATON_ASSIGN_OR_RETURN(const TemplateText* given, NeedText(chars, "strip"));
    set = given->bytes;
    BATON_RETURN_IF_ERROR(heap.SpendBytes(set.size() * 16));
  }
  const auto strips = [&](std::size_t at) {
    const char32_t code = CharacterAt(bytes, at).code;
    return space ? IsSpace(code) : HasCharacter(set, code);
  };
  std::size_t begin = 0;
  std::size_t end = bytes.size();
  while (ends.left && begin < end && strips(begin)) begin += CharacterBytes(bytes[begin]);
  while (ends.right && end > begin) {
    const std::size_t last = end - CharacterBefore(bytes, end).bytes;
    if (!strips(last)) break;
    end = last;
  }
  return heap.Slice(text, begin, end);
}

Result Replaced(const TemplateText& text, const TemplateText& from, const TemplateText& to,
                std::int64_t count, TemplateHeap& heap) {
  BATON_RETURN_IF_ERROR(heap.SpendBytes(text.bytes.size() + from.bytes.size()));
  if (from.bytes.empty()) return ReplaceEverywhere(text, to, count, heap);
  TemplateTextBuilder out = NewTextBuilder();
  std::size_t at = 0;
  for (; count != 0 && !out.overflowed(); --count) {
    const std::size_t found = text.bytes.find(from.bytes, at);
    if (found == absl::string_view::npos) break;
    out.Append(text, at, found);
    out.Append(to);
    at = found + from.bytes.size();
  }
  out.Append(text, at, text.bytes.size());
  return heap.Text(out);
}

Result Split(const TemplateText& text, const TemplateText* separator, std::int64_t count,
             TemplateHeap& heap) {
  BATON_RETURN_IF_ERROR(heap.SpendBytes(text.bytes.size()));
  if (separator == nullptr) return SplitAtSpace(text, count, heap);
  if (separator->bytes.empty()) return TemplateError("split: an empty separator");
  std::vector<TemplateValue> parts;
  std::size_t at = 0;
  for (; count != 0; --count) {
    const std::size_t found = text.bytes.find(separator->bytes, at);
    if (found == absl::string_view::npos) break;
    parts.push_back(heap.Slice(text, at, found));
    BATON_RETURN_IF_ERROR(heap.Check());
    at = found + separator->bytes.size();
  }
  parts.push_back(heap.Slice(text, at, text.bytes.size()));
  return heap.List(parts);
}

Result Lines(const TemplateText& text, TemplateHeap& heap) {
  BATON_RETURN_IF_ERROR(heap.SpendBytes(text.bytes.size()));
  std::vector<TemplateValue> lines;
  std::size_t begin = 0;
  std::size_t at = 0;
  while (at < text.bytes.size()) {
    const std::size_t line_break = LineBreakBytes(text.bytes, at);
    if (line_break == 0) {
      at += CharacterBytes(text.bytes[at]);
      continue;
    }
    lines.push_back(heap.Slice(text, begin, at));
    BATON_RETURN_IF_ERROR(heap.Check());
    at += line_break;
    begin = at;
  }
  if (begin < text.bytes.size()) lines.push_back(heap.Slice(text, begin, text.bytes.size()));
  return heap.List(lines);
}

Result JoinedTexts(absl::Span<const TemplateValue> items, const TemplateText& separator,
                   TemplateHeap& heap) {
  TemplateTextBuilder out = NewTextBuilder();
  for (std::size_t i = 0; i < items.size(); ++i) {
    BATON_RETURN_IF_ERROR(heap.Spend(1));
    if (i > 0) out.Append(separator);
    BATON_RETURN_IF_ERROR(AppendPrinted(items[i], heap, out));
    if (out.overflowed()) break;
  }
  return heap.Text(out);
}

absl::StatusOr<const TemplateText*> NeedText(const TemplateValue& value, absl::string_view what) {
  if (value.text() != nullptr) return value.text();
  if (value.undefined() != nullptr) return UndefinedError(*value.undefined());
  return TemplateError(absl::StrFormat("%s needs a string, not %s", what, TypeNameOf(value)));
}

absl::StatusOr<std::int64_t> NeedWhole(const TemplateValue& value, std::int64_t fallback,
                                       absl::string_view what) {
  if (value.missing()) return fallback;
  std::int64_t whole = 0;
  if (AsWhole(value, &whole)) return whole;
  if (value.undefined() != nullptr) return UndefinedError(*value.undefined());
  return TemplateError(absl::StrFormat("%s needs an integer, not %s", what, TypeNameOf(value)));
}

}  // namespace baton
