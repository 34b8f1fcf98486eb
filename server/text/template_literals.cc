#include "server/text/template_literals.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "server/text/template_text.h"
#include "server/text/utf8.h"

namespace baton {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsNameStart(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

int DigitOf(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

// Reads up to `digits_max` digits of `base`; moves `at` past them.
char32_t ReadCode(absl::string_view text, std::size_t& at, int base, std::size_t digits_max) {
  char32_t code = 0;
  const std::size_t end = std::min(text.size(), at + digits_max);
  while (at < end && DigitOf(text[at]) < base) {
    code = code * static_cast<char32_t>(base) + static_cast<char32_t>(DigitOf(text[at++]));
  }
  return code;
}

// `\xhh`, `\uhhhh`, `\Uhhhhhhhh`: exactly so many digits.
const char* ReadHexEscape(absl::string_view literal, std::size_t& at, std::string& value) {
  const char kind = literal[at];
  const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
  const std::size_t begin = ++at;
  const char32_t code = ReadCode(literal, at, 16, digits);
  if (at - begin != digits) return "a string's \\x, \\u or \\U escape lacks digits";
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    return "a string's escape names no character";
  }
  AppendUtf8(code, value);
  return nullptr;
}

const char* ReadEscape(absl::string_view literal, std::size_t& at, std::string& value) {
  constexpr absl::string_view kLetters = "\\'\"abfnrtv";
  constexpr absl::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
  const char c = literal[at];
  if (c == '\n') {
    ++at;
    return nullptr;
  }
  if (c == 'x' || c == 'u' || c == 'U') return ReadHexEscape(literal, at, value);
  if (c == 'N') return "\\N{...} in a string";
  if (c >= '0' && c <= '7') {
    AppendUtf8(ReadCode(literal, at, 8, 3), value);
    return nullptr;
  }
  const std::size_t letter = kLetters.find(c);
  if (letter != absl::string_view::npos) {
    value += kMeanings[letter];
  } else {
    value += '\\';  // as Python: an unknown escape stays as it is
    value += c;
  }
  ++at;
  return nullptr;
}

// Digits of `base`, single underscores between them; the bytes taken.
std::size_t DigitRun(absl::string_view text, std::size_t at, int base) {
  const std::size_t begin = at;
  while (at < text.size()) {
    const bool joins = text[at] == '_' && at > begin && at + 1 < text.size();
    const char digit = text[joins ? at + 1 : at];
    if (DigitOf(digit) >= base) break;
    at += joins ? 2 : 1;
  }
  return at - begin;
}

std::string WithoutUnderscores(absl::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '_') digits += c;
  }
  return digits;
}

NumberLiteral ReadInteger(absl::string_view text, std::size_t prefix, int base) {
  NumberLiteral number;
  const std::size_t digits = DigitRun(text, prefix, base);
  const std::string plain = WithoutUnderscores(text.substr(prefix, digits));
  const char* end = plain.data() + plain.size();
  const auto read = std::from_chars(plain.data(), end, number.integer, base == 1 ? 10 : base);
  if (read.ec == std::errc()) number.bytes = prefix + digits;
  return number;
}

// Bytes of the float that `text` begins with, or 0: digits, and a fraction or an exponent.
std::size_t FloatBytes(absl::string_view text) {
  const std::size_t whole = DigitRun(text, 0, 10);
  std::size_t end = whole;
  if (end + 1 < text.size() && text[end] == '.' && IsDigit(text[end + 1])) {
    end += 1 + DigitRun(text, end + 1, 10);
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    const std::size_t sign =
        end + 1 < text.size() && (text[end + 1] == '+' || text[end + 1] == '-') ? 1 : 0;
    const std::size_t exponent = DigitRun(text, end + 1 + sign, 10);
    if (exponent > 0) end += 1 + sign + exponent;
  }
  return end == whole ? 0 : end;
}

}  // namespace

std::size_t NameBytes(absl::string_view text) {
  if (text.empty() || !IsNameStart(text[0])) return 0;
  std::size_t bytes = 1;
  while (bytes < text.size() && (IsNameStart(text[bytes]) || IsDigit(text[bytes]))) ++bytes;
  return bytes;
}

const char* ReadStringLiteral(absl::string_view literal, std::string& value) {
  std::size_t at = 0;
  while (at < literal.size()) {
    if (literal[at] != '\\') {
      value += literal[at++];
      continue;
    }
    ++at;
    if (const char* wrong = ReadEscape(literal, at, value)) return wrong;
  }
  return nullptr;
}

NumberLiteral ReadNumberLiteral(absl::string_view text, bool may_be_real) {
  const char second = text.size() > 1 ? static_cast<char>(text[1] | 0x20) : ' ';
  if (text[0] == '0') {
    const int base = second == 'x' ? 16 : second == 'o' ? 8 : second == 'b' ? 2 : 0;
    if (base != 0 && DigitRun(text, 2, base) > 0) return ReadInteger(text, 2, base);
  }
  const std::size_t bytes = may_be_real ? FloatBytes(text) : 0;
  // A leading zero stands alone: 012 is no number.
  if (bytes == 0) return ReadInteger(text, 0, text[0] == '0' ? 1 : 10);
  NumberLiteral number;
  const std::string plain = WithoutUnderscores(text.substr(0, bytes));
  number.is_real = true;
  number.bytes = bytes;
  const auto read = std::from_chars(plain.data(), plain.data() + plain.size(), number.real);
  // Python reads 1e999 as infinity, and 1e-999 as zero.
  if (read.ec == std::errc::result_out_of_range) {
    const bool small =
        plain.find("e-") != std::string::npos || plain.find("E-") != std::string::npos;
    number.real = small ? 0.0 : std::numeric_limits<double>::infinity();
  }
  return number;
}

}  // namespace baton
