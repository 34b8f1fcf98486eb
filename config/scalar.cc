#include "config/scalar.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace baton {
namespace {

constexpr double kTwoTo53 = 9007199254740992.0;  // beyond it a double names no single integer

struct SizeUnit {
  const char* name;
  double bytes;
};
constexpr SizeUnit kSizeUnits[] = {
    {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0},
    {"KB", 1e3},     {"MB", 1e6},        {"GB", 1e9},           {"TB", 1e12},
    {"B", 1.0},
};

/// The number without the underscores between its digits; empty when they stand elsewhere.
std::string WithoutUnderscores(absl::string_view text) {
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      digits += text[i];
      continue;
    }
    const bool between = i > 0 && i + 1 < text.size() &&
                         absl::ascii_isdigit(static_cast<unsigned char>(text[i - 1])) &&
                         absl::ascii_isdigit(static_cast<unsigned char>(text[i + 1]));
    if (!between) return "";
  }
  return digits;
}

bool StartsLikeNumber(absl::string_view text) {
  if (absl::StartsWith(text, "-") || absl::StartsWith(text, "+")) text.remove_prefix(1);
  if (absl::StartsWith(text, ".")) text.remove_prefix(1);
  return !text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text[0]));
}

}  // namespace

std::optional<bool> ParseBoolean(absl::string_view text, bool digits) {
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == "true" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "no" || lower == "off") return false;
  if (digits && lower == "1") return true;
  if (digits && lower == "0") return false;
  return std::nullopt;
}

bool LooksOctal(absl::string_view text) {
  if (absl::StartsWith(text, "-") || absl::StartsWith(text, "+")) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' &&
         (absl::ascii_isdigit(static_cast<unsigned char>(text[1])) || text[1] == '_');
}

std::optional<double> ParseNumber(absl::string_view text) {
  const std::string lower = absl::AsciiStrToLower(text);
  if (lower == ".inf" || lower == "+.inf") return std::numeric_limits<double>::infinity();
  if (!StartsLikeNumber(text) || LooksOctal(text)) return std::nullopt;
  std::string digits = WithoutUnderscores(text);
  if (!digits.empty() && digits[0] == '+') digits.erase(0, 1);
  double value = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> ParseInteger(absl::string_view text) {
  const std::optional<double> number = ParseNumber(text);
  if (!number || !std::isfinite(*number)) return std::nullopt;
  std::string digits = WithoutUnderscores(text);
  if (digits[0] == '+') digits.erase(0, 1);
  std::int64_t exact = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, exact);
  if (read.ec == std::errc() && read.ptr == end) return exact;
  if (std::trunc(*number) != *number || std::abs(*number) > kTwoTo53) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<std::int64_t> ParseBytes(absl::string_view text) {
  for (const SizeUnit& unit : kSizeUnits) {
    if (!absl::EndsWith(text, unit.name)) continue;
    absl::string_view number_text = text;
    number_text.remove_suffix(absl::string_view(unit.name).size());
    const std::optional<double> number = ParseNumber(absl::StripAsciiWhitespace(number_text));
    if (!number || !(std::abs(*number) * unit.bytes <= kTwoTo53)) return std::nullopt;
    return static_cast<std::int64_t>(*number * unit.bytes);
  }
  return ParseInteger(text);
}

}  // namespace baton
