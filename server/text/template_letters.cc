#include "server/text/template_letters.h"

#include <algorithm>
#include <iterator>

#include "server/text/template_text.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

/// Every `step`-th character of [first, last] becomes the one `delta` further on.
struct Change {
  char32_t first;
  char32_t last;
  char32_t step;
  std::int32_t delta;
};

/// One character that becomes several; unused places are 0.
struct Expansion {
  char32_t from;
  char32_t to[3];
};

struct Range {
  char32_t first;
  char32_t last;
};

#include "server/text/template_letter_tables.inc"

template <typename Row, std::size_t kRows>
const Row* FindRange(const Row (&table)[kRows], char32_t code) {
  const Row* row = std::upper_bound(
      std::begin(table), std::end(table), code,
      [](char32_t wanted, const Row& candidate) { return wanted < candidate.first; });
  if (row == std::begin(table)) return nullptr;
  --row;
  return code <= row->last ? row : nullptr;
}

template <std::size_t kRows>
bool AppendChange(const Change (&table)[kRows], char32_t code, std::string& out) {
  const Change* row = FindRange(table, code);
  if (row == nullptr || (code - row->first) % row->step != 0) return false;
  AppendUtf8(static_cast<char32_t>(static_cast<std::int32_t>(code) + row->delta), out);
  return true;
}

template <std::size_t kRows>
bool AppendExpansion(const Expansion (&table)[kRows], char32_t code, std::string& out) {
  const Expansion* row = std::lower_bound(
      std::begin(table), std::end(table), code,
      [](const Expansion& candidate, char32_t wanted) { return candidate.from < wanted; });
  if (row == std::end(table) || row->from != code) return false;
  for (const char32_t to : row->to) {
    if (to != 0) AppendUtf8(to, out);
  }
  return true;
}

bool IsCased(char32_t code) {
  if (code < 0x80) return (code | 0x20) >= 'a' && (code | 0x20) <= 'z';
  return FindRange(kCased, code) != nullptr;
}

bool IsIgnorable(char32_t code) {
  if (code < 0x80) {
    return code == '\'' || code == '.' || code == ':' || code == '^' || code == '`';
  }
  return FindRange(kIgnorable, code) != nullptr;
}

// Python's rule: a cased letter before, none after, ignorable ones looked through.
bool IsFinalSigma(absl::string_view text, std::size_t at) {
  std::size_t before = at;
  char32_t code = 0;
  while (before > 0) {
    const Utf8Character character = CharacterBefore(text, before);
    before -= character.bytes;
    code = character.code;
    if (!IsIgnorable(code)) break;
    code = 0;
  }
  if (code == 0 || !IsCased(code)) return false;
  for (std::size_t after = at + 2; after < text.size(); after += CharacterBytes(text[after])) {
    code = CharacterAt(text, after).code;
    if (!IsIgnorable(code)) return !IsCased(code);
  }
  return true;
}

constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kFinalSigma = 0x3C2;

}  // namespace

bool IsSpace(char32_t code) {
  if (code < 0x80) return (code >= 9 && code <= 13) || (code >= 0x1C && code <= 0x20);
  return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
         code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

absl::string_view StripLeft(absl::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && IsSpace(CharacterAt(text, at).code)) at += CharacterBytes(text[at]);
  return text.substr(std::min(at, text.size()));
}

absl::string_view StripRight(absl::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    const Utf8Character last = CharacterBefore(text, end);
    if (!IsSpace(last.code)) break;
    end -= last.bytes;
  }
  return text.substr(0, end);
}

bool IsPrintable(char32_t code) {
  if (code < 0x80) return code >= 0x20 && code < 0x7F;
  return FindRange(kUnprintable, code) == nullptr;
}

void AppendUpper(absl::string_view text, std::size_t at, std::string& out) {
  const char32_t code = CharacterAt(text, at).code;
  if (code < 0x80) {
    out += static_cast<char>(code >= 'a' && code <= 'z' ? code - 32 : code);
  } else if (!AppendExpansion(kUpperMany, code, out) && !AppendChange(kUpper, code, out)) {
    AppendUtf8(code, out);
  }
}

void AppendLower(absl::string_view text, std::size_t at, std::string& out) {
  const char32_t code = CharacterAt(text, at).code;
  if (code < 0x80) {
    out += static_cast<char>(code >= 'A' && code <= 'Z' ? code + 32 : code);
  } else if (code == kCapitalSigma && IsFinalSigma(text, at)) {
    AppendUtf8(kFinalSigma, out);
  } else if (!AppendExpansion(kLowerMany, code, out) && !AppendChange(kLower, code, out)) {
    AppendUtf8(code, out);
  }
}

void AppendTitle(absl::string_view text, std::size_t at, std::string& out) {
  const char32_t code = CharacterAt(text, at).code;
  if (code >= 0x80 && FindRange(kTitleSame, code) != nullptr) return AppendUtf8(code, out);
  if (code >= 0x80 && AppendExpansion(kTitleMany, code, out)) return;
  if (code < 0x80 || !AppendChange(kTitle, code, out)) AppendUpper(text, at, out);
}

std::string LowerOf(absl::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += CharacterBytes(text[at])) {
    AppendLower(text, at, out);
  }
  return out;
}

std::size_t LineBreakBytes(absl::string_view text, std::size_t at) {
  const char32_t code = CharacterAt(text, at).code;
  if (code == '\r') return at + 1 < text.size() && text[at + 1] == '\n' ? 2 : 1;
  if ((code >= '\n' && code <= '\f') || (code >= 0x1C && code <= 0x1E)) return 1;
  if (code == 0x85 || code == 0x2028 || code == 0x2029) return CharacterBytes(text[at]);
  return 0;
}

}  // namespace baton
